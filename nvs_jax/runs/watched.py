"""A run whose latents are looked at after every segment of its steps."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from nvs_jax.diffusion.problem import States
from nvs_jax.diffusion.sampler import Carry
from nvs_jax.media import write_picture
from nvs_jax.models.contract import VideoModel
from nvs_jax.runs.latent_colours import Colours, fit_colours
from nvs_jax.steering.leg_states import LegStates

SHOWN = 4
"""Frames of a preview, side by side."""
Show = Callable[[Carry], None]


@dataclass(frozen=True)
class WatchedLegs:
    """The states of legs, each shown before it is kept; a `LegStates`."""

    run: LegStates
    show: Show

    def leg(self, index: int, count: int) -> States:
        """Of a leg of so many, counted from 0."""
        return _WatchedLeg(self.run.leg(index, count), self.show)


@dataclass(frozen=True)
class _WatchedLeg:
    states: States
    show: Show

    def restore(self, fresh: Carry) -> Carry:
        return self.states.restore(fresh)

    def save(self, carry: Carry) -> None:
        self.show(carry)
        self.states.save(carry)


def shown_latents(colours: Colours, latents: Float[np.ndarray, "f h w c"]) -> Float[np.ndarray, "h wide 3"]:
    """A few frames, from the first to the last, side by side, in [0, 1]."""
    chosen = np.unique(np.linspace(0, len(latents) - 1, SHOWN).round().astype(int))
    return np.clip(np.concatenate(list(colours(latents[chosen])), axis=1), 0, 1)


def writer(path: Path, model: VideoModel) -> Show:
    """Writes a picture of the first video's latents, in place of the one before.

    Args:
        path: of the picture.
        model: whose latents they are. Its codec is used here and not later, when another network may be in its place.
    """
    colours = fit_colours(model.codec(), model.lattice)
    return lambda carry: write_picture(path, shown_latents(colours, np.asarray(carry.x[0], np.float32)))
