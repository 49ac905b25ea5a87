"""Benchmarks without true pictures on disk: photos and videos without poses, past which a path of our own leads.

- the paper's protocol: a folder with a picture a scene, and with a video file or a folder of frames a scene.
- DAVIS: `JPEGImages/480p/NAME` (or Full-Resolution, or 1080p) with the frames of a video, and lists of names in
  `ImageSets`; its annotations are not looked at.

Depth maps lie in `depth/`, called as the scene: NAME.npy, .npz, .exr, .pfm or .png of a photo; a folder NAME, or
NAME.npz, .npy or .mp4 of a video. Scenes without have theirs estimated.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nvs_jax.errors import InputError
from nvs_jax.media.cameras.files import beside, is_file, names_in, rows
from nvs_jax.media.depth import DEPTH_SUFFIXES
from nvs_jax.media.photo import PICTURE_SUFFIXES
from nvs_jax.media.video import VIDEO_SUFFIXES, files_in
from nvs_jax.saying import say

DAVIS = "davischallenge.org (DAVIS 2017, TrainVal, 480p)"
"""Where it is published."""
_DEPTH = "depth"
_RESOLUTIONS = ("480p", "Full-Resolution", "1080p")
_LISTS = ("2017", "2016", "480p", "1080p")


@dataclass(frozen=True)
class Unposed:
    """A photo or a video without cameras: how it looks from elsewhere nobody knows.

    Attributes:
        scene: its name; intervals are over scenes.
        pictures: the photo, a video file, or a folder of frames.
        is_video: whether it is a video.
        depth: its maps, a file or a folder; None: there are none.
    """

    scene: str
    pictures: Path
    is_video: bool
    depth: Path | None


def paper_scenes(data: Path) -> Iterator[tuple[str, Callable[[], Unposed]]]:
    """Pictures are photos; video files, and folders that hold pictures, are videos.

    Raises:
        InputError: two of one name.
    """
    seen: set[str] = set()
    for path in sorted(data.iterdir()):
        suffix = path.suffix.lower()
        is_photo, is_clip = (is_file(path) and suffix in known for known in (PICTURE_SUFFIXES, VIDEO_SUFFIXES))
        is_folder = path.is_dir() and path.name != _DEPTH and bool(files_in(path, PICTURE_SUFFIXES))
        if path.name.startswith(".") or not (is_photo or is_clip or is_folder):
            continue
        name = path.name if is_folder else path.stem
        if name in seen:
            raise InputError(f"{data} holds two scenes called {name}: give each a name of its own")
        seen.add(name)
        yield name, _unposed(data, name, path, is_video=not is_photo)


def davis_scenes(data: Path, subset: str) -> Iterator[tuple[str, Callable[[], Unposed]]]:
    """The videos of a subset (val, train, ...), or all that are there.

    Raises:
        InputError: a video of the list is not there.
    """
    frames = next((folder for name in _RESOLUTIONS if (folder := data / "JPEGImages" / name).is_dir()), None)
    if frames is None:
        return
    listed = None if subset == "all" else _listed(data / "ImageSets", subset)
    if listed is None:
        listed = sorted(path.name for path in frames.iterdir() if path.is_dir() and not path.name.startswith("."))
        why = "" if subset == "all" else f": {data / 'ImageSets'} has no {subset}.txt"
        say(f"all {len(listed)} videos of {frames} are taken{why}")
    for name in listed:
        if not (frames / name).is_dir():
            raise InputError(f"{frames} has no video {name}, which the list of {subset} names; published: {DAVIS}")
        yield name, _unposed(data, name, frames / name, is_video=True)


def _listed(folder: Path, subset: str) -> list[str] | None:
    """Names in a list of DAVIS: a name a line, or, of 2016, a picture and its annotation a line; None: no list."""
    file = next((path for year in _LISTS if is_file(path := folder / year / f"{subset}.txt")), None)
    if file is None:
        return None
    found: dict[str, None] = {}
    for where, words in rows(file):
        parts = names_in(words[0])
        if not parts or ".." in parts:
            raise InputError(f"{where}: {words[0][:40]!r} is no name of a video")
        found[parts[-1] if len(parts) == 1 else parts[-2]] = None
    return list(found)


def _unposed(data: Path, name: str, pictures: Path, *, is_video: bool) -> Callable[[], Unposed]:
    folder = data / _DEPTH
    depth = folder / name if is_video and (folder / name).is_dir() else None
    suffixes = (".npz", ".npy", *VIDEO_SUFFIXES) if is_video else sorted(DEPTH_SUFFIXES)
    found = depth or beside(folder, name, suffixes)
    return lambda: Unposed(name, pictures, is_video, found)
