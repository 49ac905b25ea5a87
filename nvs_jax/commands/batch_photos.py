"""A job for each of many photos. No JAX here."""

from collections.abc import Sequence
from glob import has_magic
from pathlib import Path
from typing import Any

from nvs_jax.disk.looking import absolute, exists, files_in, is_folder, matching
from nvs_jax.errors import InputError
from nvs_jax.media.depth import DEPTH_SUFFIXES
from nvs_jax.media.photo import PICTURE_SUFFIXES, UNREAD_SUFFIXES
from nvs_jax.media.video.folders import in_order
from nvs_jax.remote import joined
from nvs_jax.saying import say


def find_photos(source: Path) -> list[Path]:
    """The photos of a folder or of a pattern, in the order of the numbers in their names; none if it is neither.

    Hidden files are left out, and so is what is no picture by its ending; where HEIC is among it, that is said.
    """
    if is_folder(source):
        found = files_in(source)
    elif has_magic(str(source)) and not exists(source):
        found = matching(source)
    else:
        return []
    seen = [path for path in found if not path.name.startswith(".")]
    unread = in_order(path for path in seen if path.suffix.lower() in UNREAD_SUFFIXES)
    if unread:
        say(f"{len(unread)} HEIC pictures are left out ({unread[0].name}, ...): convert them to JPEG or PNG")
    return in_order(path for path in seen if path.suffix.lower() in PICTURE_SUFFIXES)


def photo_jobs(photos: Sequence[Path], source: Path, defaults: dict[str, Any], base: Path) -> list[dict[str, Any]]:
    """A job for each, named after its file without the ending.

    Args:
        photos: see `find_photos`.
        source: what they were found by, for messages.
        defaults: options of all jobs. Where `depth` is a folder, each job has the map in it that is named as its photo.
        base: the folder that files in `defaults` count from.

    Raises:
        InputError: no photos, two of one name, one without its depth, or options that cannot be those of all.
    """
    if not photos:
        raise InputError(f"{source}: no photos are found there")
    if (kind := defaults.get("kind", "single")) != "single":
        raise InputError(f"{source}: photos are of kind single, not {kind}: {kind} needs a list of jobs")
    for option in ("photo", "name"):
        if option in defaults:
            raise InputError(f"{source}: {option} cannot be the same for all photos: leave it out of the defaults")
    names = [path.stem for path in photos]
    twice = next((path for path in photos if names.count(path.stem) > 1), None)
    if twice is not None:
        raise InputError(f"{source}: two photos are called {twice.stem}, and so would their results: rename one")
    jobs = [{"name": path.stem, "photo": str(absolute(path))} for path in photos]
    maps = defaults.get("depth")
    if isinstance(maps, str) and is_folder(joined(base, maps)):
        for job, map_file in zip(jobs, _depth_of(photos, absolute(joined(base, maps))), strict=True):
            job["depth"] = str(map_file)
    return jobs


def _depth_of(photos: Sequence[Path], folder: Path) -> list[Path]:
    held = {path.stem: path for path in files_in(folder) if path.suffix.lower() in DEPTH_SUFFIXES}
    lacking = next((path for path in photos if path.stem not in held), None)
    if lacking is not None:
        raise InputError(f"{folder} has no depth for {lacking.name}: it would be called {lacking.stem}.npy or such")
    return [held[path.stem] for path in photos]
