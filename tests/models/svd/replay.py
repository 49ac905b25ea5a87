"""Replays the release's sampling loop from its stored inputs: the network is svd-tiny's UNet, the conditions random."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import load_file

from nvs_jax.diffusion import (
    DirectGuidance,
    Euler,
    Guidance,
    PosteriorGuidance,
    Select,
    TabulatedTrust,
    Tiled,
    init,
    sample,
    step,
)
from nvs_jax.diffusion.randomness import Keys
from nvs_jax.models.svd.config import UNetConfig, read_config
from nvs_jax.models.svd.denoiser import SVDDenoiser
from nvs_jax.models.svd.unet.network import UNetSpatioTemporal
from nvs_jax.models.weights import parameter_specs
from nvs_jax.windows import Window, overlapping_windows

DATA = Path(__file__).parents[2] / "data"
CLAMP = {"single_dgs": 0.0, "single_post": 0.2, "single_post_tiled": 0.6, "multi_dgs": 0.4, "multi_post": 0.4}


class Setup(NamedTuple):
    """What `nvs_jax.diffusion.step` takes, for one stored case."""

    denoiser: SVDDenoiser
    guidance: Guidance
    trust: TabulatedTrust


def channels_last(x: np.ndarray) -> jax.Array:
    return jnp.asarray(np.moveaxis(x, -3, -1))


def read_unet() -> tuple[UNetConfig, dict[str, jax.Array]]:
    folder = DATA / "svd-tiny" / "unet"
    config = read_config(UNetConfig, folder / "config.json")
    tensors = load_file(folder / "diffusion_pytorch_model.safetensors")
    specs = parameter_specs(UNetSpatioTemporal(config))
    assert specs.keys() == tensors.keys()
    return config, {name: jnp.asarray(tensors[name].transpose(spec.published_axes)) for name, spec in specs.items()}


def set_up(name: str, stored: dict[str, np.ndarray]) -> Setup:
    config, unet = read_unet()
    posterior, two_views = "post" in name, "multi" in name
    hole = np.concatenate([np.zeros_like(stored["mask"][:1]), stored["mask"]]) > 0.5
    table = stored["lam"].astype(np.float32)
    table[:, 0] = 1  # frame 0 is given
    if two_views:  # and so is the last one, which DGS leaves free
        table[:, -1], hole[-1] = 1, not posterior
    rule = Select(channels_last(stored["cond"]), jnp.asarray(hole)[None], CLAMP[name], "release")
    guidance = PosteriorGuidance(rule, 0.02) if posterior else DirectGuidance(rule)
    if "tiled" in name:
        assert isinstance(guidance, PosteriorGuidance)
        guidance = Tiled(guidance, overlapping_windows(24, 24, config.stride))
    denoiser = SVDDenoiser(
        weights=unet,
        image_latent=channels_last(stored["image_latent"])[:, 0],
        embedding=jnp.asarray(stored["embedding"])[:, 0],
        time_ids=jnp.array([6, 127, 0.02]),
        guidance_scale=jnp.linspace(1, 3, 25),
        config=config,
        mixed_context=True,
    )
    return Setup(denoiser, guidance, TabulatedTrust(jnp.asarray(stored["sigmas"][:-1]), jnp.asarray(table)))


# One program for a network's evaluation and one for a correction: all cases of a size share them, while a program of
# a whole step is compiled for each.
_evaluate = jax.jit(lambda denoiser, x, sigma: denoiser(x, sigma))
_correct = jax.jit(lambda guidance, x, sigma, w, denoiser, key: guidance.correct(x, sigma, w, denoiser, key))


@dataclass(frozen=True)
class _Evaluated:
    """A denoiser whose guided estimate is a program."""

    denoiser: SVDDenoiser

    def __call__(self, x: jax.Array, sigma: jax.Array) -> jax.Array:
        return _evaluate(self.denoiser, x, sigma)

    def probe(self, x: jax.Array, sigma: jax.Array) -> jax.Array:
        return self.denoiser.probe(x, sigma)

    def window(self, window: Window) -> SVDDenoiser:
        return self.denoiser.window(window)


@dataclass(frozen=True)
class _Watched:
    """A guidance whose correction is a program, and what it corrected, call by call."""

    guidance: Guidance
    corrections: list[jax.Array] = field(default_factory=list)

    def correct(self, x: jax.Array, sigma: jax.Array, w: jax.Array, denoiser: _Evaluated, key: Keys) -> jax.Array:
        corrected = _correct(self.guidance, x, sigma, w, denoiser.denoiser, key)
        self.corrections.append(x - corrected)
        return corrected

    def estimate(self, x0: jax.Array, sigma: jax.Array, w: jax.Array, key: Keys) -> jax.Array:
        return self.guidance.estimate(x0, sigma, w, key)


def assert_close(ours: jax.Array, theirs: np.ndarray, tolerance: float = 2e-4, share: float = 1e-4) -> None:
    """Within `tolerance` of the largest value on all but `share` of the elements."""
    reference = channels_last(theirs)
    error = jnp.abs(ours - reference) / jnp.abs(reference).max()
    assert ours.shape == reference.shape
    assert (error > tolerance).mean() <= share, f"largest {error.max()}, off on {(error > tolerance).mean()}"


def replay(name: str, folder: Path) -> None:
    """Every step's latents and Post's corrections, and the scan's result, against the stored ones."""
    stored = dict(np.load(folder / f"{name}.npz"))
    setup, carry = set_up(name, stored), init(channels_last(stored["init"]))
    denoiser, watched = _Evaluated(setup.denoiser), _Watched(setup.guidance)
    for index, levels in enumerate(zip(stored["sigmas"][:-1], stored["sigmas"][1:], strict=True)):
        here: Any = {"denoiser": denoiser, "guidance": watched, "trust": setup.trust, "solver": Euler()}
        carry = step(carry, *map(jnp.asarray, levels), **here)
        if "post" in name:
            assert_close(watched.corrections[index], stored["grads"][index])
        assert_close(carry.x, stored["latents"][index])


def replay_in_one_scan(name: str, folder: Path) -> None:
    stored = dict(np.load(folder / f"{name}.npz"))
    sigmas = jnp.asarray(stored["sigmas"])
    noise = channels_last(stored["init"]) / jnp.sqrt(sigmas[0] ** 2 + 1)
    assert_close(sample(*set_up(name, stored), noise, sigmas), stored["latents"][-1])
