"""What decides a result, in a form that can be compared: settings by name, files by what is in them."""

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from itertools import islice
from pathlib import Path
from typing import Any

import jax

import nvs_jax
from nvs_jax.disk import at_hand, hidden_folder
from nvs_jax.settings import RenderSettings
from nvs_jax.settings.former import is_added, present_name, recorded_name
from nvs_jax.settings.jobs import AUTO, MeshOptions, RenderJob
from nvs_jax.settings.render import family_groups

Identity = dict[str, Any]
"""Name, as on the command line, to a value as JSON has it. Settings that were renamed keep the name they had when the
first runs were made, so that those go on."""

# Where and how a result is made, not what it is; preset, method and steps are in the settings.
_NO_PART = {
    "out",
    "overwrite",
    "resume",
    "log",
    "profile",
    "watch",
    "low_memory",
    "preset",
    "method",
    "steps",
    "settings",
    "mesh",
}
_BLOCK, _BLOCKS, _MOST_FILES = 2**20, 64, 20_000


def identity(job: RenderJob, settings: RenderSettings) -> Identity:
    """All that decides the result of a job: equal where the frames are equal.

    Versions and the kind of device belong to it: other programs round otherwise.

    Args:
        job: its files and weights are read, and need not be there.
        settings: of the render, with the job's own method and steps.
    """
    entries: Identity = {}
    for field in fields(job):
        if field.name in _NO_PART:
            continue
        value = getattr(job, field.name)
        if field.name in ("weights", "depth_weights") and value is not None and at_hand(value).exists():
            value = at_hand(value)
        entries[field.name] = digest(value, job.out) if isinstance(value, Path) else value
    entries |= _settings_by_name(settings) | _mesh_by_name(job.mesh)
    if settings.path.file is not None:
        entries["path.file"] = digest(settings.path.file)
    entries |= {"kind": type(job).__name__, "nvs_jax": nvs_jax.__version__, "jax": jax.__version__}
    entries |= {"device": jax.devices()[0].device_kind, "machine": platform.machine()}
    return json.loads(json.dumps(entries, default=str))


def short(known: Identity) -> str:
    """A short name for it.

    >>> short({"seed": 1, "steps": 5}) == short({"steps": 5, "seed": 1})
    True
    """
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:24]


def difference(before: Identity, now: Identity) -> str | None:
    """The first thing in which they differ, in words; None where they are equal.

    >>> difference({"seed": 1, "photo": "sha256:0a"}, {"seed": 2, "photo": "sha256:0a"})
    'seed 1, not 2'
    >>> difference({"seed": 1, "photo": "sha256:0a"}, {"seed": 1, "photo": "sha256:0b"})
    'another photo'
    >>> difference({"conditioning.noise_aug": 0.02}, {"conditioning.noise_aug": 0.0})
    'svd.noise_aug 0.02, not 0.0'
    """
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if old == new:
            continue
        absent = not (name in before and name in now)  # at its default in one of them
        if absent or any(str(value).startswith("sha256:") for value in (old, new)):
            return f"another {present_name(name)}"
        return f"{present_name(name)} {old}, not {new}"
    return None


def input_paths(job: RenderJob, settings: RenderSettings) -> tuple[Path, ...]:
    """What a job reads, as far as it names files and folders; some need not be there."""
    values = [getattr(job, field.name) for field in fields(job) if field.name not in ("out", "settings", "mesh")]
    named = [value for value in values if isinstance(value, Path) and value != AUTO]
    preset = job.preset if (job.preset or "").endswith((".yaml", ".yml")) else None
    given = (job.weights, job.depth_weights, preset, settings.path.file)
    return (*named, *(Path(value) for value in given if value is not None))


def digest(path: Path, out: Path | None = None) -> str | None:
    """Of a file's content, or of all files in a folder with their names; None where there is nothing.

    Results may lie among the pictures they are made of: `out` and what is kept of an interrupted run to it count for
    nothing.

    Of files above 64 MiB, such as weights, the size and 64 evenly spaced blocks of 1 MiB stand for the whole: hashing
    gigabytes would take longer than some renders.
    """
    if not path.exists():
        return None
    total = hashlib.sha256()
    place = None if out is None else Path(os.path.realpath(out))
    left_out = set() if place is None else {place, hidden_folder(place)}
    for file in islice(_files(path, left_out), _MOST_FILES):
        total.update(f"{file.relative_to(path).as_posix()} {file.stat().st_size}\n".encode())
        for block in _blocks(file):
            total.update(block)
    return f"sha256:{total.hexdigest()[:32]}"


def _files(path: Path, left_out: set[Path]) -> Iterator[Path]:
    """The regular files at or below a path, in a fixed order; devices and pipes, which may have no end, are none."""
    if path.is_file():
        yield path
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(name for name in inner if Path(os.path.realpath(Path(folder, name))) not in left_out)
        yield from (file for name in sorted(names) if (file := Path(folder, name)).is_file())


def _blocks(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    step = max(_BLOCK, (size - _BLOCK) // (_BLOCKS - 1)) if size > _BLOCK * _BLOCKS else _BLOCK
    with path.open("rb") as file:
        for start in range(0, size, step):
            file.seek(start)
            yield file.read(_BLOCK)


def _settings_by_name(settings: RenderSettings) -> Identity:
    """Every setting; but those of families and younger ones at their defaults count for nothing, so that a new one
    leaves runs without it as they are."""
    families, defaults = family_groups(settings), _flat(asdict(type(settings)()))
    plain = {name: value for name, value in defaults.items() if is_added(name) or name.partition(".")[0] in families}
    named = {name: (recorded_name(name), value) for name, value in _flat(asdict(settings)).items()}
    return {
        recorded: value
        for name, (recorded, value) in named.items()
        if recorded != name or name not in plain or value != plain[name]
    }


def _mesh_by_name(mesh: MeshOptions) -> Identity:
    """Every option, but for younger ones at their defaults."""
    plain = _flat(asdict(MeshOptions()), "mesh.")
    named = _flat(asdict(mesh), "mesh.")
    return {name: value for name, value in named.items() if not is_added(name) or value != plain[name]}


def _flat(values: Mapping[str, Any], above: str = "") -> Identity:
    flat: Identity = {}
    for name, value in values.items():
        flat |= _flat(value, f"{above}{name}.") if isinstance(value, dict) else {above + name: value}
    return flat
