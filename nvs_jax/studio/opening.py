"""What the studio is opened on, as a job: a photo, a video, a scene of posed views, or a result made before."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from nvs_jax.disk import RESULT, read_manifest
from nvs_jax.errors import InputError
from nvs_jax.media.cameras import read_cameras
from nvs_jax.media.photo import PICTURE_SUFFIXES
from nvs_jax.settings import Mode
from nvs_jax.settings.jobs import RenderJob, StudioJob
from nvs_jax.settings.presets import reason, settings_for, strict_converter
from nvs_jax.studio.command_line import KINDS
from nvs_jax.studio.example import example_job


def job_of(asked: StudioJob) -> RenderJob:
    """The job that a studio begins with.

    A folder or file of cameras is a scene, a folder with run.json a result, whose job is taken up as it was; another
    folder and any file that is no picture a video. Without any, a procedural scene is written beside the result.

    Raises:
        InputError: it is none of these, or its files are not there.
    """
    if asked.source is None:
        job = example_job(asked.out.with_name(f"{asked.out.name}.scene"), weights=asked.weights or "demo")
        return replace(job, out=asked.out)
    if not asked.source.exists():
        raise InputError(f"{asked.source} does not exist: give a photo, a video, a scene's folder or a result's")
    made = read_manifest(asked.source, RESULT.record)
    if made is not None:
        return _taken_up(made.entries, asked)
    mode = _mode(asked.source)
    cls, given = KINDS[mode]
    named = {name: getattr(asked, name) for name in ("depth", "depth_kind", "png_scale")}
    return cls(
        **{given: asked.source},
        **{name: value for name, value in named.items() if value is not None},
        out=asked.out,
        weights=asked.weights,
        preset=asked.preset,
        depth_weights=asked.depth_weights,
        settings=settings_for(asked.weights, asked.preset, mode),
    )


def _mode(source: Path) -> Mode:
    if source.is_file() and source.suffix.lower() != ".json":
        return "single" if source.suffix.lower() in PICTURE_SUFFIXES else "video"
    try:
        read_cameras(source, (0,), points=False, depth=False)
    except InputError:
        holds_pictures = source.is_dir() and any(path.suffix.lower() in PICTURE_SUFFIXES for path in source.iterdir())
        if not holds_pictures:
            raise
        return "video"
    return "views"


def _taken_up(entries: Any, asked: StudioJob) -> RenderJob:
    """The job of a result, with another folder to render into."""
    held = entries.get("job")
    held = held if isinstance(held, dict) else {}
    modes: list[Mode] = [mode for mode, (_, given) in KINDS.items() if given in held]
    if not modes:
        raise InputError(f"{asked.source} is not a render of a photo, a video or views, which could be taken up")
    mode = modes[0]
    cls, given = KINDS[mode]
    converter, types = strict_converter(), get_type_hints(cls)
    left = {"settings", "out", "preview", "resume", "overwrite"}
    names = [field.name for field in fields(cls) if field.name in held.keys() - left]
    try:
        values = {name: converter.structure(held[name], types[name]) for name in names}
    except Exception as error:  # the converter's own kinds
        raise InputError(f"{asked.source}/{RESULT.record} holds no job that can be read: {reason(error)}") from None
    settings = settings_for(values.get("weights"), values.get("preset"), mode, held.get("settings"))
    values |= {"weights": asked.weights} if asked.weights else {}
    job, source = cls(**values, out=asked.out, settings=settings), values[given]
    if not source.exists():
        raise InputError(f"{asked.source} was made of {source}, which is not there: begin where it is, or move it back")
    return job
