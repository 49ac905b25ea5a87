"""Poses of photos that come without: structure from motion by COLMAP (pycolmap), SIFT features of every pair.

The result is a scene as any other: `images/`, upright, and `sparse/0`, a COLMAP model. Lenses are pinholes with square
pixels and the principal point in the middle; what a lens bends is left in.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image

from nvs_jax.errors import InputError
from nvs_jax.media.photo import exif_focal, read_photo, to_bytes

LONGEST_SIDE = 1600
"""Pixels that features are looked for in; photos are reduced to it."""
MOST_PHOTOS = 200
"""Every pair is compared."""
FEWEST_MATCHES = 15
"""That agree with one motion, for two photos to belong together."""
LEAST_MOTION = 0.01
"""How far what photos show is from what a turning camera sees: about what it moved, over the distance of the scene."""
_SEED = 0


class NoPosesError(InputError):
    """Photos that are as they should be, and whose poses are not to be found."""


@dataclass(frozen=True)
class Registration:
    """The scene that was found for photos, and how well they fit it.

    Attributes:
        folder: the scene: images/, sparse/0.
        names: of the photos whose poses were found, in images/.
        left_out: the photos that do not fit to them.
        points: how many.
        error: mean distance of points from where photos show them, in pixels of images/.
        focal: focal length over the width, of the first photo.
        focal_from: where that comes from.
    """

    folder: Path
    names: tuple[str, ...]
    left_out: tuple[str, ...]
    points: int
    error: float
    focal: float
    focal_from: str

    def __str__(self) -> str:
        total = len(self.names) + len(self.left_out)
        line = (
            f"poses by COLMAP: {len(self.names)} of {total} photos registered, {self.points} points, "
            f"{self.error:.2f} pixels off on average; focal length {self.focal:.3f} of the width, {self.focal_from}; "
            "lenses are taken to be pinholes"
        )
        if self.left_out:
            line += f"; left out: {', '.join(self.left_out[:5])}" + (", ..." if len(self.left_out) > 5 else "")
        return line


def register_photos(photos: Sequence[Path], folder: Path, focal: float | None = None) -> Registration:
    """Find the poses of photos of one scene that stood still.

    Args:
        photos: in any order; their names without suffix must differ.
        folder: to make, of the scene.
        focal: focal length over the width; None: what each file records, or a guess. It is refined in any case, but of
            two photos, which do not determine it, only where it is a guess.

    Raises:
        InputError: pycolmap is not installed; too few or too many photos.
        NoPosesError: they do not show enough of the same, or the camera only turned.
    """
    colmap = pycolmap_or_say()
    _check_photos(photos)
    (folder / "images").mkdir(parents=True)
    focals = [focal or exif_focal(photo) for photo in photos]
    names = [_copy(photo, folder / "images") for photo in photos]
    with _quiet(colmap), TemporaryDirectory(dir=folder) as scratch:
        database = Path(scratch) / "database.db"
        _find_features(colmap, database, folder / "images", list(zip(names, focals, strict=True)))
        colmap.match_exhaustive(database, device=colmap.Device.cpu, verification_options=_verification(colmap))
        _check_pairs(colmap, database, folder / "images")
        guessed = any(value is None for value in focals)
        options = _mapping(colmap, refine=guessed or len(photos) > 2)
        models = colmap.incremental_mapping(database, folder / "images", scratch, options)
        if not models or max(model.num_reg_images() for model in models.values()) < 2:
            raise NoPosesError(
                f"no poses were found for the {len(photos)} photos, though they match: take more, from places between "
                "them, of something that does not move"
            )
        best = max(models.values(), key=lambda model: model.num_reg_images())
        (folder / "sparse" / "0").mkdir(parents=True)
        best.write_binary(str(folder / "sparse" / "0"))
    registered = tuple(sorted(best.image(index).name for index in best.reg_image_ids()))
    for name in set(names) - set(registered):
        (folder / "images" / name).unlink()
    source = "given" if focal else "recorded" if not guessed else "guessed and refined"
    first = next(best.image(index).camera for index in best.reg_image_ids() if best.image(index).name == registered[0])
    return Registration(
        folder,
        registered,
        tuple(photo.name for photo, name in zip(photos, names, strict=True) if name not in registered),
        best.num_points3D(),
        best.compute_mean_reprojection_error(),
        first.focal_length / first.width,
        source,
    )


def pycolmap_or_say() -> Any:
    """The package.

    Raises:
        InputError: it is not installed.
    """
    try:
        import pycolmap
    except ImportError as error:
        raise InputError(
            "photos without cameras need pycolmap, which finds them: pip install 'nvs-jax[poses]'; or give a COLMAP "
            "model or a transforms.json"
        ) from error
    return pycolmap


def _check_photos(photos: Sequence[Path]) -> None:
    if len(photos) < 2:
        raise InputError(f"{photos[0]} is one photo, which has no poses to find: `nvs-jax single` makes views of it")
    if len(photos) > MOST_PHOTOS:
        raise InputError(
            f"{len(photos)} photos, more than the {MOST_PHOTOS} whose pairs are all compared: leave some out, or run "
            "COLMAP on them and give its model"
        )
    stems = [photo.stem for photo in photos]
    twice = next((stem for stem in stems if stems.count(stem) > 1), None)
    if twice is not None:
        raise InputError(f"{photos[0].parent} holds two photos called {twice}: give each a name of its own")


def _copy(photo: Path, folder: Path) -> str:
    """An upright copy that COLMAP can read, not larger than it needs; its name."""
    picture = Image.fromarray(to_bytes(read_photo(photo)))
    scale = LONGEST_SIDE / max(picture.size)
    if scale < 1:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    picture.save(folder / f"{photo.stem}.png")
    return f"{photo.stem}.png"


def _find_features(colmap: Any, database: Path, folder: Path, named: Sequence[tuple[str, float | None]]) -> None:
    """Features of every photo; photos of one size and focal length share a camera, which is then found better."""
    groups: dict[tuple[tuple[int, int], float | None], list[str]] = {}
    for name, focal in named:
        with Image.open(folder / name) as picture:
            groups.setdefault((picture.size, None if focal is None else round(focal, 4)), []).append(name)
    options = colmap.FeatureExtractionOptions()
    options.max_image_size = LONGEST_SIDE
    for ((width, height), focal), names in groups.items():
        reader = colmap.ImageReaderOptions()
        reader.camera_model = "SIMPLE_PINHOLE"
        if focal is not None:
            reader.camera_params = f"{focal * width},{width / 2},{height / 2}"
        colmap.extract_features(
            database, folder, names, colmap.CameraMode.SINGLE, reader, options, device=colmap.Device.cpu
        )


def _verification(colmap: Any) -> Any:
    options = colmap.TwoViewGeometryOptions()
    options.min_num_inliers = FEWEST_MATCHES
    options.ransac.random_seed = _SEED
    return options


def _mapping(colmap: Any, *, refine: bool) -> Any:
    """For few photos from places near each other: paths between views are short."""
    options = colmap.IncrementalPipelineOptions()
    options.multiple_models = False
    options.min_model_size = 2
    options.ba_refine_focal_length = refine
    options.mapper.init_min_tri_angle = 2.0
    options.mapper.init_min_num_inliers = 30
    options.mapper.abs_pose_refine_focal_length = refine
    options.mapper.abs_pose_min_num_inliers = FEWEST_MATCHES
    options.mapper.filter_min_tri_angle = 0.5
    options.triangulation.min_angle = 0.5
    options.triangulation.ignore_two_view_tracks = False
    options.random_seed = options.mapper.random_seed = options.triangulation.random_seed = _SEED
    return options


def _check_pairs(colmap: Any, database: Path, folder: Path) -> None:
    """Raise a NoPosesError if no two photos show the same, or what they show is what a camera sees that only turns."""
    with colmap.Database.open(database) as opened:
        _, geometries = opened.read_two_view_geometries()
        sizes = [(camera.width, camera.height) for camera in opened.read_all_cameras()]
    best = max((len(geometry.inlier_matches) for geometry in geometries), default=0)
    if best < FEWEST_MATCHES:
        raise NoPosesError(
            f"no two of the {len(list(folder.iterdir()))} photos show enough of the same: at most {best} places match, "
            f"{FEWEST_MATCHES} are needed; take them nearer to each other, of something with texture"
        )
    kinds = colmap.TwoViewGeometryConfiguration
    flat = {int(kind) for kind in (kinds.PLANAR, kinds.PANORAMIC, kinds.PLANAR_OR_PANORAMIC)}
    sound = [geometry for geometry in geometries if len(geometry.inlier_matches) >= FEWEST_MATCHES]
    if any(int(geometry.config) not in flat or geometry.H is None for geometry in sound) or len(set(sizes)) > 1:
        return
    if motion_of(np.stack([geometry.H for geometry in sound]), *sizes[0]) < LEAST_MOTION:
        raise NoPosesError(
            "the photos were taken from one place: a camera that only turns sees no depth; take a step to the side "
            "between them, or use one with `nvs-jax single`"
        )


def motion_of(H: Float[np.ndarray, "n 3 3"], width: int, height: int) -> float:
    """How far homographies between pictures are from those of a camera that turns in place, at its best focal length.

    Those are K R K^-1: K^-1 H K is orthogonal. A camera that moves by t before a plane d away along n adds t n^T / d.

    Args:
        H: of pixel positions, from the first picture of a pair to the second.
        width: of the pictures.
        height: of the pictures.
    """
    middle = np.array([[1, 0, width / 2], [0, 1, height / 2], [0, 0, 1.0]])
    least = math.inf
    for focal in width * np.geomspace(0.3, 5, 60):
        K = middle @ np.diag([focal, focal, 1.0])
        turns = np.linalg.inv(K) @ H @ K
        turns /= np.cbrt(np.linalg.det(turns))[:, None, None]
        off = np.linalg.norm(np.swapaxes(turns, 1, 2) @ turns - np.eye(3), axis=(1, 2))
        least = min(least, float(np.median(off)))
    return least


@contextmanager
def _quiet(colmap: Any) -> Iterator[None]:
    """COLMAP's progress reports stay out of what the command says."""
    before = colmap.logging.minloglevel
    colmap.logging.minloglevel = colmap.logging.Level.FATAL.value
    try:
        yield
    finally:
        colmap.logging.minloglevel = before
