"""Benchmarks of the field on disk: which pictures of a scene are given, and which are to be made.

- SEVA (Stable Virtual Camera): a folder a scene with transforms.json, pictures and `train_test_split_P.json` for P
  given pictures, whose `train_ids` and `test_ids` count the frames of transforms.json from 0, in its order, not in that
  of their names. `file_path` is relative to the scene; poses are camera-to-world with OpenGL's axes. Most entries of
  the published benchmark hold splits alone, of which the ids count the original pictures sorted by their paths.
- RealEstate10K: `NAME.txt` (a line with the video's address, then one a frame: timestamp, fx, fy, cx, cy over width and
  height, 0, 0, and a 3x4 world-to-camera matrix) and a folder `NAME` with a picture a frame, called by its timestamp.
- posed scenes of any kind that `read_cameras` reads, as Tanks and Temples: the first pictures are given.
- photos and videos without cameras or truth: `nvs_jax.media.unposed_splits`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nvs_jax.errors import InputError
from nvs_jax.media.cameras.detect import bare_photos, has_cameras, read_cameras
from nvs_jax.media.cameras.files import beside, check_frames, floats, intrinsics, read_json, rows, select
from nvs_jax.media.cameras.rotations import check_pose
from nvs_jax.media.cameras.views import CameraSet, PosedCamera
from nvs_jax.media.photo import photo_size
from nvs_jax.media.unposed_splits import DAVIS, Unposed, davis_scenes, paper_scenes
from nvs_jax.saying import say

PUBLISHED = {
    "seva": "benchmark.zip among the releases of Stability-AI/stable-virtual-camera on GitHub (tnt-, re10k- and "
    "co3d-viewcrafter come with pictures)",
    "re10k": "camera files at google.github.io/realestate10k; the frames are those of the videos that they name",
    "posed": "for Tanks and Temples tanksandtemples.org; a folder a scene, with its cameras",
    "paper": "the README of ZHU-Zhiyu/NVS_Solver on GitHub links to the authors' pictures and videos; any will do",
    "davis": DAVIS,
}
"""Where what a layout needs is published; nothing is downloaded here."""
WITHOUT_TRUTH = ("paper", "davis")
"""Layouts of photos and videos that nobody has seen from elsewhere."""
_WANTED = {
    "seva": "folders with transforms.json and train_test_split_{}.json",
    "re10k": "NAME.txt beside folders NAME of frames",
    "posed": "a folder a scene with its cameras",
    "paper": "pictures, video files or folders of frames",
    "davis": "JPEGImages/480p with a folder of frames a video",
}
_SPLIT = "train_test_split_{}.json"
_DEPTH = 4
_PICTURES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True, eq=False)
class Sample:
    """What a model is given, and what it is asked for.

    Attributes:
        scene: its name; intervals are over scenes.
        given: cameras with pictures.
        targets: cameras with pictures that only scores look at.
    """

    scene: str
    given: CameraSet
    targets: CameraSet


def open_split(
    layout: str, data: Path, inputs: int, targets: int | None, subset: str = "val"
) -> dict[str, Callable[[], Sample | Unposed]]:
    """The scenes of a benchmark by name; what each calls reads its cameras.

    Args:
        layout: one of `PUBLISHED`; see the module.
        data: the folder.
        inputs: given pictures a scene.
        targets: at most so many targets a scene, evenly spaced; None: all.
        subset: of DAVIS.

    Raises:
        InputError: nothing of this layout is there; says where it is published.
    """
    if not data.is_dir():
        raise InputError(f"{data} is not a folder; {layout} is published: {PUBLISHED[layout]}")
    readers: dict[str, Callable[[], Iterator[tuple[str, Callable[[], Sample | Unposed]]]]] = {
        "seva": lambda: _seva_scenes(data, inputs),
        "re10k": lambda: _re10k_scenes(data, inputs),
        "posed": lambda: _posed_scenes(data, inputs),
        "paper": lambda: paper_scenes(data),
        "davis": lambda: davis_scenes(data, subset),
    }
    found = dict(readers[layout]())
    if not found:
        raise InputError(f"{data}: holds no {_WANTED[layout].format(inputs)}; published: {PUBLISHED[layout]}")
    return {name: _limited(read, targets) for name, read in sorted(found.items())}


def _limited(read: Callable[[], Sample | Unposed], most: int | None) -> Callable[[], Sample | Unposed]:
    def limited() -> Sample | Unposed:
        sample = read()
        if most is None or isinstance(sample, Unposed) or len(sample.targets.cameras) <= most:
            return sample
        cameras = sample.targets.cameras
        chosen = np.linspace(0, len(cameras) - 1, most).round().astype(int)
        return replace(sample, targets=CameraSet(tuple(cameras[index] for index in chosen)))

    return limited


def _seva_scenes(data: Path, inputs: int) -> Iterator[tuple[str, Callable[[], Sample]]]:
    for depth in range(_DEPTH + 1):
        for file in data.glob("*/" * depth + _SPLIT.format(inputs)):
            folder = file.parent
            name = folder.relative_to(data).as_posix() if folder != data else data.resolve().name
            yield name, lambda folder=folder, file=file, name=name: _seva(folder, file, name)


def _seva(folder: Path, split: Path, name: str) -> Sample:
    content = read_json(split)
    given, targets = (_ids(content, key, split) for key in ("train_ids", "test_ids"))
    shown = set(given) & set(targets)
    if shown:
        raise InputError(f"{split}: frame {min(shown)} is given and asked for")
    if not has_cameras(folder):
        raise InputError(
            f"{folder} holds a split and no cameras, as most entries of SEVA's benchmark: add the transforms.json and "
            "the pictures of the original data set, all of them, sorted by their paths"
        )
    return Sample(name, read_cameras(folder, given), read_cameras(folder, targets, points=False, depth=False))


def _ids(content: Any, key: str, split: Path) -> list[int]:
    ids = content.get(key) if isinstance(content, dict) else None
    if not (isinstance(ids, list) and ids and all(type(index) is int and index >= 0 for index in ids)):
        raise InputError(f"{split}: must hold train_ids and test_ids, lists of frames of transforms.json")
    return ids


def _re10k_scenes(data: Path, inputs: int) -> Iterator[tuple[str, Callable[[], Sample]]]:
    for file in data.rglob("*.txt"):
        if (folder := file.with_suffix("")).is_dir():
            name = folder.relative_to(data).as_posix()
            yield name, lambda folder=folder, file=file, name=name: _re10k(folder, file, name, inputs)


def _re10k(folder: Path, file: Path, name: str, inputs: int) -> Sample:
    cameras = []
    for where, words in rows(file):
        if len(words) == 1 and not cameras:  # the video's address
            continue
        if len(words) != 19:
            raise InputError(f"{where}: {len(words)} numbers instead of RealEstate10K's 19")
        values = floats(words[1:], where)
        picture = beside(folder, words[0], _PICTURES)
        if picture is None:
            raise InputError(f"{where}: its frame {words[0]}.png or .jpg is not in {folder}: {PUBLISHED['re10k']}")
        height, width = photo_size(picture, as_stored=True)
        fx, fy, cx, cy = values[:4] * [width, height, width, height]
        pose = check_pose(np.vstack([values[6:].reshape(3, 4), [0, 0, 0, 1]]), where)
        K = intrinsics((fx, fy), (cx, cy), (height, width), where)
        cameras.append(PosedCamera(pose, K, height, width, picture))
    check_frames(len(cameras), file)
    return _first_given(name, CameraSet(tuple(cameras)), inputs, file)


def _posed_scenes(data: Path, inputs: int) -> Iterator[tuple[str, Callable[[], Sample]]]:
    for folder in sorted(path for path in data.iterdir() if path.is_dir() and not path.name.startswith(".")):
        if bare_photos(folder):
            say(f"{folder} holds photos and no cameras: it is left out")
        else:
            yield folder.name, lambda folder=folder: _first_given(folder.name, read_cameras(folder), inputs, folder)


def _first_given(name: str, known: CameraSet, inputs: int, where: Path) -> Sample:
    count = len(known.cameras)
    if count <= inputs:
        raise InputError(f"{where}: {count} pictures, of which {inputs} are given and none is left to score")
    seen = None if known.observations is None else known.observations[:inputs]
    given = CameraSet(known.cameras[:inputs], known.points, known.colours, seen)
    return Sample(name, given, CameraSet(tuple(select(known.cameras, range(inputs, count), where))))


def distance_in_front(cameras: Sequence[PosedCamera], given: PosedCamera) -> float | None:
    """How far in front of a camera lies the point that all of them look at; None where they look at none.

    The point nearest to all optical axes, by least squares: cameras alone say where it is, no picture does.
    """
    axes = np.stack([camera.pose[2, :3] for camera in cameras])
    centres = np.stack([camera.centre for camera in cameras])
    across = np.eye(3) - axes[:, :, None] * axes[:, None, :]  # what of a vector is not along the axis
    total = across.sum(0)
    if np.linalg.cond(total) > 1e4:
        return None
    point = np.linalg.solve(total, np.einsum("nij,nj->i", across, centres))
    depth = float(given.pose[2, :3] @ point + given.pose[2, 3])
    return depth if depth > 0 else None
