"""Names that settings once had: whoever still uses one is told what it is called now. No JAX here."""

from collections.abc import Iterator, Sequence
from typing import Any

from nvs_jax.errors import InputError

RECORDED = {
    "conditioning.motion_bucket": "svd.motion_bucket",
    "conditioning.noise_aug": "svd.noise_aug",
    "conditioning.mixed_context": "svd.mixed_context",
    "conditioning.target_scale": "svd.target_scale",
}
"""Of FORMER, what the identities of runs still call by its former name, so that earlier runs go on."""
FORMER = {"weights": "trust", **RECORDED}
"""Dotted name of a setting, or of a group of them, as it was -> as it is."""
ADDED = (
    *("schedule.start", "restart", "resample", "particles", "guidance.hole_edge", "guidance.hole_doubt"),
    *("guidance.agreement", "guidance.agreement_sigma", "path.zoom", "camera.keep_units", "mesh.weights"),
)
"""Settings, or groups of them, that are younger than the first runs: at their defaults they are no part of what a run
is, so that earlier runs go on."""
_NO = "no_"
"""Before the name of a truth value, in the option that says no."""


def refuse_former_names(values: Any) -> None:
    """Refuse settings by name, as YAML holds them, where one has a name that it had once.

    >>> refuse_former_names({"weights": {"v2": 3.0}})
    Traceback (most recent call last):
    ...
    nvs_jax.errors.InputError: weights is now called trust

    Raises:
        InputError: a former name.
    """
    for name in _names(values):
        if name in FORMER:
            raise InputError(f"{name} is now called {FORMER[name]}")


def refuse_former_options(arguments: Sequence[str]) -> None:
    """Refuse arguments of a command that has all settings as options, where one has a name that it had once.

    Raises:
        InputError: a former name.
    """
    for argument in arguments:
        option = argument.partition("=")[0]
        if option.startswith("--") and (now := _present(option[2:])):
            raise InputError(f"{option} is now called --{now}")


def present_name(name: str) -> str:
    """What a setting is called now.

    >>> present_name("conditioning.noise_aug"), present_name("conditioning.fps")
    ('svd.noise_aug', 'conditioning.fps')
    """
    return FORMER.get(name, name)


def recorded_name(name: str) -> str:
    """What the identities of runs call a setting.

    >>> recorded_name("svd.noise_aug"), recorded_name("conditioning.fps")
    ('conditioning.noise_aug', 'conditioning.fps')
    """
    return next((former for former, now in RECORDED.items() if now == name), name)


def is_added(name: str) -> bool:
    """Whether a setting is younger than the first runs.

    >>> is_added("restart.times"), is_added("guidance.hole_edge"), is_added("guidance.hole_sigma")
    (True, True, False)
    """
    return any(name == one or name.startswith(f"{one}.") for one in ADDED)


def _names(values: Any, group: str = "") -> Iterator[str]:
    """Dotted names of everything in a mapping of mappings, groups before what they hold."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield f"{group}{key}"
            yield from _names(value, f"{group}{key}.")


def _present(option: str) -> str | None:
    """What an option of a setting is called now, if it was renamed: it, or the group that it is in."""
    *groups, name = option.replace("-", "_").split(".")
    for no in ("", _NO) if groups and name.startswith(_NO) else ("",) if groups else ():
        parts = [*groups, name.removeprefix(no)]
        for length in range(1, len(parts) + 1):
            if (now := FORMER.get(".".join(parts[:length]))) is not None:
                *above, last = *now.split("."), *parts[length:]
                return ".".join([*above, no + last]).replace("_", "-")
    return None
