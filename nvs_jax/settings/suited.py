"""Settings that suit a model, where nothing else was asked for. No JAX here."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

from nvs_jax.settings.render import RenderSettings


def suited(
    settings: RenderSettings, own: RenderSettings, plain: RenderSettings | None = None
) -> tuple[RenderSettings, tuple[str, ...]]:
    """What a model prefers in place of every setting that is at its default; also which those are.

    Args:
        settings: what was asked for.
        own: what suits the model.
        plain: the defaults; None: those of the settings themselves.

    Raises:
        InputError: what was asked for does not go together with what suits the model.

    >>> from nvs_jax.settings import ScheduleSettings
    >>> asked, own = (RenderSettings(schedule=schedule) for schedule in (
    ...     ScheduleSettings(steps=7), ScheduleSettings(steps=50, sigma_max=80.0)))
    >>> settings, names = suited(asked, own)
    >>> settings.schedule.steps, settings.schedule.sigma_max, names
    (7, 80.0, ('schedule.sigma_max',))
    """
    return _suited(settings, own, plain or RenderSettings(), "")


def _suited(asked: Any, own: Any, plain: Any, group: str) -> tuple[Any, tuple[str, ...]]:
    taken: dict[str, Any] = {}
    names: list[str] = []
    for name in (field.name for field in fields(asked) if hasattr(plain, field.name)):
        value, wanted, default = (getattr(each, name) for each in (asked, own, plain))
        if is_dataclass(value):
            taken[name], inner = _suited(value, wanted, default, f"{group}{name}.")
            names += inner
        elif value == default != wanted:
            taken[name] = wanted
            names.append(f"{group}{name}")
    return replace(asked, **taken), tuple(names)
