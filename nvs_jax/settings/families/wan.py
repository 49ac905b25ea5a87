"""What Wan alone is told. No JAX here."""

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg

from nvs_jax.settings.ranges import Ranged


@dataclass(frozen=True)
class WanSettings(Ranged, group="wan."):
    """What Wan alone is told; models of other families ignore it."""

    prompt: Annotated[str | None, arg(aliases=("--prompt",))] = None
    """What the video shows, in words; None: the first prompt that the weights keep, of a scene in which nothing moves.
    Any other needs the text encoder: the published folder as weights, or a checkpoint converted with --prompts."""
    negative_prompt: Annotated[str | None, arg(aliases=("--negative-prompt",))] = None
    """What it does not show; None: the second one that they keep, which is empty."""
