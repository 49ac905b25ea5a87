"""Every setting of a render: those of all models, and under the name of each family those of its models alone.

This is the only table in `nvs_jax.settings` that names families of models; `nvs_jax.models.families` has their rows. No
JAX here.
"""

from dataclasses import dataclass, field, fields
from typing import Any

from nvs_jax.settings.families.svd import SVDSettings
from nvs_jax.settings.families.wan import WanSettings
from nvs_jax.settings.general import GeneralSettings


@dataclass(frozen=True)
class RenderSettings(GeneralSettings):
    """Everything that decides what a render computes, given inputs, weights and a seed."""

    svd: SVDSettings = field(default_factory=SVDSettings)
    wan: WanSettings = field(default_factory=WanSettings)


def family_groups(settings: RenderSettings) -> dict[str, Any]:
    """The groups of settings that belong to families of models, by the name of the family.

    >>> family_groups(RenderSettings())["svd"].motion_bucket
    127
    """
    general = {each.name for each in fields(GeneralSettings)}
    return {each.name: getattr(settings, each.name) for each in fields(settings) if each.name not in general}


def ignored_by(family: str, settings: RenderSettings) -> tuple[str, ...]:
    """Settings that were given, and are those of other families than this one.

    >>> ignored_by("toy", RenderSettings(svd=SVDSettings(motion_bucket=30)))
    ('svd.motion_bucket',)
    """
    return tuple(
        f"{name}.{each.name}"
        for name, group in family_groups(settings).items()
        if name != family
        for each in fields(group)
        if getattr(group, each.name) != getattr(type(group)(), each.name)
    )
