"""Which depth map in a folder is a picture's: the one at the same relative path, or the only one of the same name."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nvs_jax.errors import InputError
from nvs_jax.media.cameras.files import names_in
from nvs_jax.media.photo import PICTURE_SUFFIXES

MOST_FILES = 200_000
# COLMAP's dense maps; the geometric ones are the photometric ones that other pictures agree with.
_DENSE = (".geometric.bin", ".photometric.bin")
# Where a picture has several: numbers as they are before numbers in steps, which may be a picture to look at.
_ORDER = (".npy", ".npz", ".exr", ".pfm", *_DENSE, ".bin", ".png")

Parts = tuple[str, ...]


@dataclass(frozen=True)
class _Map:
    path: Path
    parts: Parts
    """Its folders and its name, counted from the folder of maps, without suffixes."""
    suffix: str


def find_depth_maps(folder: Path, pictures: Sequence[str], others: Iterable[str] = ()) -> list[Path]:
    """The depth map of every picture.

    Args:
        folder: of the maps, also in folders below it.
        pictures: their names, with the folders they lie in, as the scene has them: `left/0001.png`.
        others: names of all of the scene's pictures, also of those that need no map now.

    Raises:
        InputError: not a folder; a picture has no map there; one of two maps, or one map for two pictures.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder of depth maps")
    maps: dict[str, list[_Map]] = defaultdict(list)
    for found in _listed(folder):
        maps[found.parts[-1]].append(found)
    alike: dict[str, set[Parts]] = defaultdict(set)
    for name in (*pictures, *others):
        if parts := _parts(name):
            alike[parts[-1]].add(parts)
    return [_map_of(name, maps, alike, folder) for name in pictures]


def _map_of(name: str, maps: dict[str, list[_Map]], alike: dict[str, set[Parts]], folder: Path) -> Path:
    parts = _parts(name)
    candidates = maps.get(parts[-1], [])
    if not candidates:
        raise InputError(f"{folder} holds no depth map named {parts[-1]}, as the picture is")
    best = max(_likeness(candidate.parts, parts) for candidate in candidates)
    nearest = [candidate for candidate in candidates if _likeness(candidate.parts, parts) == best]
    if len({candidate.parts for candidate in nearest}) > 1:
        two = " and ".join(sorted(candidate.path.relative_to(folder).as_posix() for candidate in nearest)[:2])
        raise InputError(f"{folder} holds {two}; put the depth map of {name} where the picture lies: {'/'.join(parts)}")
    rivals = [other for other in alike[parts[-1]] if other != parts and _likeness(nearest[0].parts, other) >= best]
    if rivals:
        raise InputError(
            f"{nearest[0].path} may be of {'/'.join(parts)} or of {'/'.join(min(rivals))}: give each picture a depth "
            "map of its own, in folders named as theirs"
        )
    return min(nearest, key=lambda candidate: _ORDER.index(candidate.suffix)).path


def _likeness(ours: Parts, theirs: Parts) -> tuple[bool, int]:
    """Whether two paths are the same, and how many of their last parts are."""
    shorter = min(len(ours), len(theirs))
    same = next((n for n in range(shorter) if ours[-1 - n] != theirs[-1 - n]), shorter)
    return ours == theirs, same


def _parts(name: str) -> Parts:
    *folders, last = names_in(name) or ("",)
    return (*folders, Path(last).stem)


def _listed(folder: Path) -> list[_Map]:
    found = []
    count = 0
    for place, _, names in os.walk(folder):
        count += len(names)
        if count > MOST_FILES:
            raise InputError(f"{folder} holds more than {MOST_FILES} files; point at the folder of the depth maps")
        above = Path(place).relative_to(folder).parts
        for name in names:
            suffix = next((end for end in _ORDER if name.lower().endswith(end)), None)
            if suffix is None or name.startswith("."):
                continue
            stem = name[: -len(suffix)]
            if Path(stem).suffix.lower() in PICTURE_SUFFIXES:  # COLMAP keeps the picture's: 0001.jpg.geometric.bin
                stem = Path(stem).stem
            found.append(_Map(Path(place, name), (*above, stem), suffix))

    return found
