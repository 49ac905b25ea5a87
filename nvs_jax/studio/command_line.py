"""A job as the command that asks for it: the inverse of `nvs_jax.cli.parse`. No JAX here."""

import shlex
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from nvs_jax.settings import Mode
from nvs_jax.settings.jobs import RenderJob, SingleJob, VideoJob, ViewsJob
from nvs_jax.settings.presets import settings_for

KINDS: dict[Mode, tuple[type[RenderJob], str]] = {
    "single": (SingleJob, "photo"),
    "video": (VideoJob, "frames"),
    "views": (ViewsJob, "scene"),
}
"""The job of each command, and which of its fields is what is given."""


def mode_of(job: RenderJob) -> Mode:
    """A photo, a video or posed views.

    >>> from pathlib import Path
    >>> mode_of(VideoJob(frames=Path("clip.mp4"), out=Path("out")))
    'video'
    """
    return next(mode for mode, (kind, _) in KINDS.items() if isinstance(job, kind))


def arguments(job: RenderJob) -> list[str]:
    """What follows `nvs-jax` on the command line: all that differs from what preset and weights give anyway.

    >>> from pathlib import Path
    >>> job = SingleJob(photo=Path("photo.jpg"), out=Path("out"), preset="fast", steps=10)
    >>> arguments(job)
    ['single', 'photo.jpg', '--out', 'out', '--preset', 'fast', '--steps', '10']
    """
    mode = mode_of(job)
    given = KINDS[mode][1]
    found = [mode, str(getattr(job, given))]
    for field in fields(job):
        value = getattr(job, field.name)
        if field.name not in (given, "settings"):
            found += _options(field.name, value, _default(field))
    return found + list(_changes("", job.settings, settings_for(job.weights, job.preset, mode)))


def command(job: RenderJob) -> str:
    """The whole line, quoted for a shell."""
    return shlex.join(["nvs-jax", *arguments(job)])


def _changes(group: str, value: Any, default: Any) -> Iterator[str]:
    for field in fields(value):
        yield from _options(group + field.name, getattr(value, field.name), getattr(default, field.name))


def _options(name: str, value: Any, default: Any) -> Iterator[str]:
    if is_dataclass(value):
        yield from _changes(f"{name}.", value, default)
    elif value == default:
        return
    elif isinstance(value, bool):
        *groups, last = name.replace("_", "-").split(".")
        yield "--" + ".".join([*groups, last if value else f"no-{last}"])
    else:
        yield f"--{name.replace('_', '-')}"
        yield from map(str, value if isinstance(value, tuple) else (value,))


def _default(field: "Field[Any]") -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()
