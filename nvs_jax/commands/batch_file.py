"""Lists of jobs: YAML files that load into render jobs. No JAX here."""

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, get_type_hints

from nvs_jax.commands.batch_photos import find_photos, photo_jobs
from nvs_jax.disk.looking import exists, files_in, is_folder
from nvs_jax.disk.paths import LONGEST_NAME, check_paths, refuse_address
from nvs_jax.errors import InputError
from nvs_jax.remote import address_of, joined, spelt
from nvs_jax.settings import Mode, RenderSettings
from nvs_jax.settings.jobs import RenderJob, SingleJob, VideoJob, ViewsJob
from nvs_jax.settings.presets import merged, read_yaml, reason, settings_for, strict_converter

KINDS: Mapping[Mode, type[RenderJob]] = {"single": SingleJob, "video": VideoJob, "views": ViewsJob}
MAX_JOBS = 100_000
DEFAULTS = "defaults"
_OURS = {"out", "overwrite", "resume", "log", "profile", "watch"}
"""Options of the commands that a batch sets itself."""


def read_batch(source: Path, out: Path, defaults: Path | None = None) -> dict[str, RenderJob]:
    """The jobs of a batch by name, in order.

    A file holds `defaults`, options for all jobs, and `jobs`, a list. Each has a `name` (by default its number), a
    `kind` (single, video or views; by default single) and the options of that command, those of `settings` as presets
    have them. In a folder each .yaml file is one job named as the file, and defaults.yaml, if it is there, holds the
    defaults. File names count from the folder of the file.

    A folder of photos, or a pattern such as photos/*.jpg, makes a job of each, named after it.

    Args:
        source: the file, the folder or the pattern.
        out: the folder for the results.
        defaults: of photos: a YAML file with the options of all jobs; by default defaults.yaml in their folder.

    Raises:
        InputError: nothing to read, or an option or a value that is none; the message names the job.
    """
    options, listed, base = _listed(source, defaults)
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_JOBS:
        raise InputError(f"{source} holds no list of jobs (from 1 to {MAX_JOBS})")
    jobs: dict[str, RenderJob] = {}
    for index, values in enumerate(listed):
        values = _mapping(values, f"{source}, job {index}")
        name = str(values.get("name", f"{index:03}"))
        where = f"{source}, job {name}"
        if name in jobs:
            raise InputError(f"{where}: two jobs have this name")
        _check_name(name, where)
        jobs[name] = _job(merged(options, {**values, "name": name}), base, out / name, where)
    return jobs


def _listed(source: Path, defaults: Path | None) -> tuple[dict[str, Any], Any, Path]:
    """Options of all jobs, the list of the others of each, and the folder that files in them count from."""
    jobs = _job_files(source)
    if jobs and defaults is None:
        stems = [path.stem for path in jobs]
        twice = next((stem for stem in stems if stems.count(stem) > 1), None)
        if twice is not None:
            raise InputError(f"{source}: two files are called {twice}: rename one")
        held = {path.stem: _mapping(read_yaml(path), str(path)) for path in jobs}
        options = held.pop(DEFAULTS, {})
        return options, [{"name": name} | values for name, values in held.items()], source
    photos = find_photos(source)
    if is_folder(source) and not photos and defaults is None:
        raise InputError(f"{source} holds no list of jobs (from 1 to {MAX_JOBS}), and no photos")
    if photos or defaults is not None:
        if source.is_file():
            raise InputError(f"{source}: --defaults is for photos, a list of jobs has defaults of its own")
        if defaults is None:
            defaults = next((path for path in _job_files(source, jobs=False)), None)
        options = {} if defaults is None else _mapping(read_yaml(defaults), str(defaults))
        base = source if defaults is None else defaults.parent
        return options, photo_jobs(photos, source, options, base), base
    whole = _mapping(read_yaml(source), str(source))
    _check_names(whole, {"defaults", "jobs"}, str(source))
    return _mapping(whole.get("defaults", {}), f"{source}, defaults"), whole.get("jobs"), source.parent


def _job_files(source: Path, *, jobs: bool = True) -> list[Path]:
    """YAML files of a folder that holds jobs; or its defaults alone, if those are asked for."""
    if not is_folder(source):
        return []
    paths = sorted(path for path in files_in(source) if path.suffix in (".yaml", ".yml") and path.name[:2] != "._")
    if jobs:
        return paths if any(path.stem != DEFAULTS for path in paths) else []
    return [path for path in paths if path.stem == DEFAULTS]


def _check_name(name: str, where: str) -> None:
    """Refuse what cannot name a folder in --out, before any job has taken hours."""
    if not name or Path(name).name != name or name.startswith(".") or not name.isprintable():
        raise InputError(f"{where}: a name must be that of a folder in --out, without / and not hidden")
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME:
        raise InputError(f"{where[:100]} ...: a name can have {LONGEST_NAME} bytes")


def _job(values: dict[str, Any], base: Path, out: Path, where: str) -> RenderJob:
    kind = values.get("kind", "single")
    if kind not in KINDS:
        raise InputError(f"{where}: kind cannot be {kind!r}: choose {', '.join(KINDS)}")
    cls = KINDS[kind]
    options = {field.name: field for field in fields(cls) if field.name not in _OURS}
    _check_names(values, {"name", "kind", *options}, where)
    needed = [name for name, field in options.items() if field.default is field.default_factory is MISSING]
    missing = [name for name in needed if name not in values]
    if missing:
        raise InputError(f"{where} needs {', '.join(missing)}")
    converter = strict_converter()
    converter.register_structure_hook(Path, lambda value, _: joined(base, _text(value)))
    converter.register_structure_hook(str, lambda value, _: _text(value))
    types = get_type_hints(cls)
    given: dict[str, Any] = {}
    try:
        for name in (name for name in options if name in values and name != "settings"):
            try:
                given[name] = converter.structure(values[name], types[name])
            except Exception as error:
                raise InputError(f"{name}: {reason(error)}") from None
        if given.get("weights") is not None and _is_there(base / given["weights"]):
            given["weights"] = spelt(str(base / given["weights"]))
        changes = _mapping(values.get("settings", {}), "settings")
        preset = given.get("preset")
        if preset is not None and preset.endswith((".yaml", ".yml")):
            preset = str(joined(base, preset))
        settings = _from(base, settings_for(given.get("weights"), preset, kind, changes))
        job = cls(out=out, resume=True, settings=settings, **given)
        check_paths(job)
        return job
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _is_there(weights: Path) -> bool:
    return weights.exists() if address_of(weights) is None else _is_stored(weights)


@lru_cache(16)
def _is_stored(weights: Path) -> bool:
    """Asked once of weights that many jobs share: a store takes its time."""
    return exists(weights)


def _from(base: Path, settings: RenderSettings) -> RenderSettings:
    """Settings whose file of poses counts from the folder of the jobs."""
    if settings.path.file is None:
        return settings
    return replace(settings, path=replace(settings.path, file=joined(base, str(settings.path.file))))


def _check_names(values: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in values:
        if name not in known:
            alike = difflib.get_close_matches(name, sorted(known), 1)
            raise InputError(f"{where}: no option is called {name!r}" + (f"; perhaps {alike[0]}" if alike else ""))


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{where} holds a {type(value).__name__}, not options by name")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {value!r}")
    if "\0" in value:
        raise InputError(f"{value!r} holds a character that no name can have")
    refuse_address(value, "the path")
    return value
