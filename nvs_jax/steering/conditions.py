"""What steers a video: for every frame what is known of it, warped to its pose. One function for each kind of input."""

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int

from nvs_jax.errors import InputError
from nvs_jax.geometry import Warp, forward_warp
from nvs_jax.geometry.cameras import Matrix, Pose, zoom_intrinsics
from nvs_jax.geometry.correspondence import SeenDepth, seen_depth
from nvs_jax.geometry.displacement import pixel_displacements
from nvs_jax.geometry.fusion import Sources, pose_distance_to_nearest, release_distance_to_nearest, warp_nearest
from nvs_jax.geometry.trajectories import Poses, path_fractions
from nvs_jax.pytree import pytree, static
from nvs_jax.settings import Mode, RenderSettings

Picture = Float[Array, "H W 3"] | Float[np.ndarray, "H W 3"]
Depth = Float[Array, "H W"] | Float[np.ndarray, "H W"]


@pytree
class Conditions:
    """What is known of a video of F frames.

    Attributes:
        picture: the first frame, which is given.
        warp: what is known of the other frames; a frame without holes at distance 0 is given, too.
        distance: |dp| of every frame, or of every pixel of every frame, to its nearest given view.
        mode: whose release settings apply where the settings leave something open.
        seen: depth of every frame, for `guidance.agreement`; None: it was not asked for, or is not known.
    """

    picture: Picture
    warp: Warp
    distance: Float[Array, "f *pixels"]
    mode: Mode = static(default="single")
    seen: SeenDepth | None = None

    @property
    def warped(self) -> Float[np.ndarray, "f H W 3"]:
        """The given view, and the warps of the other frames with their holes black; on the host."""
        # `Warp.condition` would put the warps of a long video on the device a second time.
        pictures, holes = np.asarray(self.warp.pictures), np.asarray(self.warp.hole)
        known = np.where(holes[..., None], pictures.dtype.type(0), pictures)
        return np.concatenate([np.asarray(self.picture)[None], known])

    @property
    def holes(self) -> Bool[np.ndarray, "f H W"]:
        """What is not known of each frame; of the given view nothing is. On the host."""
        holes = np.asarray(self.warp.hole)
        return np.concatenate([np.zeros_like(holes[:1]), holes])


def from_photo(
    photo: Picture,
    depth: Depth,
    intrinsics: Matrix,
    path: Poses,
    settings: RenderSettings,
    zoom: Float[Array, "f"] | None = None,
) -> Conditions:
    """One view: the photo warped to every other pose.

    Args:
        photo: in [0, 1].
        depth: z of every pixel, in the units of the path; infinite where unknown.
        intrinsics: K in pixels.
        path: world-to-camera poses, the first one the photo's own.
        settings: warp, trust and the guidance's agreement are used.
        zoom: by what the focal length is multiplied in each frame; None: it stays.

    Raises:
        InputError: photo, depth and path do not fit together.
    """
    _check_path(path)
    _check_depth(depth, photo.shape)
    lens = None if zoom is None else zoom_intrinsics(intrinsics, zoom[1:])
    warp = forward_warp(
        jnp.asarray(photo), jnp.asarray(depth), intrinsics, path[0], path[1:], settings.warp, target_intrinsics=lens
    )
    distance, seen = photo_distances(depth, intrinsics, path, settings, zoom), None
    if settings.guidance.agreement > 0:
        lenses = zoom_intrinsics(intrinsics, jnp.ones(len(path)) if zoom is None else zoom)
        seen = seen_depth(jnp.asarray(depth), lenses, path, settings.warp)
    return Conditions(photo, warp, distance, seen=seen)


def photo_distances(
    depth: Depth, intrinsics: Matrix, path: Poses, settings: RenderSettings, zoom: Float[Array, "f"] | None = None
) -> Float[Array, "f *pixels"]:
    """|dp| of every frame of a path to the given view it begins at; arguments are those of `from_photo`."""
    return _distances(jnp.asarray(depth), intrinsics, path[0], path, settings, zoom)


def from_video(
    photos: Float[np.ndarray, "f H W 3"],
    depths: Float[np.ndarray, "f H W"],
    intrinsics: Matrix,
    camera: Pose,
    path: Poses,
    settings: RenderSettings,
    *,
    zoom: Float[Array, "f"] | None = None,
    numbers: Int[np.ndarray, "f"] | None = None,
) -> Conditions:
    """Monocular video: frame i, recorded from `camera`, warped to pose i.

    Args:
        photos: in [0, 1]. The first is the first frame of the result as it is: where the path does not begin at
            `camera`, it must be a rendered one.
        depths: of each frame; the first is not used.
        intrinsics: K in pixels.
        camera: pose of the recording camera, which stands still; |dp| is measured from it.
        path: a pose for each frame.
        settings: see `from_photo`.
        zoom: see `from_photo`.
        numbers: of the frames in the whole video, where this is a part of it; |dp| by index counts them.

    Raises:
        InputError: photos, depths and path do not fit together.
    """
    _check_path(path)
    _check_depth(depths, photos.shape)
    if len(photos) != len(path):
        raise InputError(f"{len(photos)} frames for {len(path)} poses: each frame needs one")
    rest = jnp.asarray(photos[1:]), jnp.asarray(depths[1:])
    lens = None if zoom is None else zoom_intrinsics(intrinsics, zoom[1:])
    warp = forward_warp(*rest, intrinsics, camera, path[1:], settings.warp, target_intrinsics=lens)
    if numbers is not None and settings.trust.distance == "index":
        distance = jnp.asarray(numbers, path.dtype).at[0].set(0.0)
    else:
        distance = _distances(jnp.asarray(depths), intrinsics, camera, path, settings, zoom)
    return Conditions(photos[0], warp, distance, "video")


def from_views(sources: Sources, path: Poses, settings: RenderSettings, ends: tuple[int, int] = (0, -1)) -> Conditions:
    """Two or more views: every pose between two of them is warped from the sources nearest to it.

    K of the frames is `views_intrinsics`'s.

    Args:
        sources: the given views.
        path: poses of all frames, from one view's to another's.
        settings: warp, views and trust are used.
        ends: which views the path begins and ends at; they are the first and the last frame.

    Raises:
        InputError: sources and path do not fit together.
    """
    _check_path(path)
    _check_depth(sources.depths, sources.pictures.shape)
    if settings.trust.distance == "pixels":
        raise InputError("--trust.distance pixels takes a photo or a video: choose centre for several views")
    if settings.warp.splat == "soft":
        raise InputError("--warp.splat soft takes a photo or a video: choose surface for several views")
    first, last = (jax.tree.map(lambda array, i=index: array[i], sources) for index in ends)
    if settings.views.sources == "nearest":
        count = min(settings.views.count, len(sources.poses))
        lens = views_intrinsics(sources, len(path), settings, ends)
        warp = warp_nearest(sources, path[1:-1], lens[1:-1], count, settings.warp)
        distance = pose_distance_to_nearest(sources.poses, path)
    else:
        warp = _halves(first, last, path[1:-1], settings)
        distance = release_distance_to_nearest(first.poses, last.poses, path)
    nowhere = jnp.zeros((1, *last.depths.shape), bool)
    given = Warp(pictures=last.pictures[None], valid=~nowhere, hole=nowhere)
    warp = jax.tree.map(lambda *parts: jnp.concatenate(parts), warp, given)
    return Conditions(first.pictures, warp, distance.at[jnp.array([0, -1])].set(0.0), "views")


def views_intrinsics(
    sources: Sources, frames: int, settings: RenderSettings, ends: tuple[int, int] = (0, -1)
) -> Float[Array, "f 3 3"]:
    """K of every frame from one view to another: from the one's to the other's in equal steps.

    So the last frame, which is the other view, is seen through that view's own lens, and no picture has to be cut to
    fit. As the release (`views.sources: halves`): the first one's, of all frames.
    """
    first, last = (sources.intrinsics[index] for index in ends)
    fraction = path_fractions(frames)[:, None, None] * (settings.views.sources == "nearest")
    return first + fraction * (last - first)


def from_pictures(
    picture: Picture,
    pictures: Float[np.ndarray, "f H W 3"],
    holes: Bool[np.ndarray, "f H W"],
    distance: Float[Array, "n *pixels"] | None = None,
) -> Conditions:
    """Warps made elsewhere.

    Args:
        picture: the first frame, which is given.
        pictures: of every other frame.
        holes: of every other frame; they are taken as they are, and not dilated.
        distance: |dp| of every frame, the first included; None: frames are counted.

    Raises:
        InputError: sizes that do not fit together.
    """
    if pictures.shape[1:] != picture.shape or holes.shape != pictures.shape[:3]:
        raise InputError(
            f"conditions of {pictures.shape} and masks of {holes.shape} do not fit a photo of {picture.shape}"
        )
    hole = jnp.asarray(holes)
    if distance is None:
        distance = jnp.arange(len(pictures) + 1, dtype=jnp.float32)
    return Conditions(picture, Warp(pictures=jnp.asarray(pictures), valid=~hole, hole=hole), distance)


def _distances(
    depth: Float[Array, "*f H W"],
    intrinsics: Matrix,
    camera: Pose,
    path: Poses,
    settings: RenderSettings,
    zoom: Float[Array, "f"] | None,
) -> Float[Array, "f *pixels"]:
    """|dp| to what `camera` saw, by the measure of the settings; the first frame is given, and has none."""
    measure = settings.trust.distance
    if measure != "pixels":
        return pose_distances(camera, path, measure).at[0].set(0.0)
    lens = None if zoom is None else zoom_intrinsics(intrinsics, zoom)
    return pixel_displacements(depth, intrinsics, camera, path, settings.warp, lens).at[0].set(0.0)


def pose_distances(camera: Pose, path: Poses, measure: Literal["centre", "index"]) -> Float[Array, "f"]:
    """|dp| of every pose to `camera`: between camera centres, or how many frames after the first."""
    if measure == "index":
        return jnp.arange(path.shape[0], dtype=path.dtype)
    return pose_distance_to_nearest(camera[None], path)


def _halves(first: Sources, last: Sources, inner: Poses, settings: RenderSettings) -> Warp:
    """As the release: frames of the first half from the first view, the others from the last, one K for both."""
    middle = (len(inner) + 1) // 2
    halves = [
        forward_warp(view.pictures, view.depths, first.intrinsics, view.poses, part, settings.warp)
        for view, part in ((first, inner[:middle]), (last, inner[middle:]))
    ]
    return jax.tree.map(lambda *parts: jnp.concatenate(parts), *halves)


def _check_depth(depth: Array | np.ndarray, shape: tuple[int, ...]) -> None:
    if depth.shape != shape[:-1]:
        height, width = shape[-3:-1]
        raise InputError(
            f"depth is {'x'.join(map(str, depth.shape))} for pictures of {height}x{width}: make them agree"
        )
    # What is being differentiated or compiled is no number yet; what is not is looked at even while something else is.
    if not isinstance(depth, Tracer):
        with jax.ensure_compile_time_eval():
            positive = bool((depth > 0).all())
        if not positive:
            raise InputError("depth must be positive everywhere; infinity says that it is unknown")


def _check_path(path: Poses) -> None:
    if path.shape[0] < 2:
        raise InputError(f"the path has {path.shape[0]} poses: it needs the photo's own and at least one more")
