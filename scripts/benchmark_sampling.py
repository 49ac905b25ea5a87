"""Times one guided sampling step beside diffusers in PyTorch, on the same weights, in turn in one process.

    python scripts/benchmark_sampling.py --weights FOLDER

Both sides do the same work on the same random conditions: DGS is one evaluation under classifier-free guidance,
selection and an Euler step; Post adds one more evaluation before it. PyTorch's Post runs the backward pass that the
release runs; ours needs none (see `nvs_jax.diffusion.guidance`).
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import torch
import tyro
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel

import nvs_jax
from nvs_jax.diffusion import DirectGuidance, Guidance, PosteriorGuidance, Select, closed_form_weights, run, start
from nvs_jax.models.svd.denoiser import SVDDenoiser

SIGMAS = (20.0, 12.0)


def main(weights: Path, height: int = 16, width: int = 24, frames: int = 25, repeats: int = 5) -> None:
    """Print the milliseconds of a step, ours and PyTorch's, and their ratio.

    Args:
        weights: an SVD in diffusers' layout.
        height: latent rows.
        width: latent columns.
        frames: of the video.
        repeats: timed steps of each, in turn; the median counts.
    """
    networks = nvs_jax.load(weights).model.networks
    theirs = UNetSpatioTemporalConditionModel.from_pretrained(weights / "unet").eval()
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, np.float32)

    x, target = 20 * draw(1, frames, height, width, 4), draw(1, frames, height, width, 4)
    image, embedding = draw(1, height, width, 4), draw(1, networks.unet_config.cross_attention_dim[0])
    denoiser = SVDDenoiser(
        networks.unet,
        jnp.asarray(image),
        jnp.asarray(embedding),
        jnp.array([6, 127, 0.02]),
        jnp.linspace(1, 3, frames),
        networks.unet_config,
    )
    rule = Select(jnp.asarray(target), jnp.zeros(target.shape[:-1], bool), 0.2)
    other = TorchStep(theirs, x, target, image, embedding)
    rows = []
    for name, guidance, posterior in (("DGS", DirectGuidance(rule), False), ("Post", PosteriorGuidance(rule), True)):
        rows.append((name, *in_turn(partial(jax_step, denoiser, guidance, x), partial(other, posterior), repeats)))
    print(f"| step, {frames} x {height} x {width} latents | nvs-jax, ms | PyTorch, ms | ratio |\n|---|---|---|---|")
    for name, mine, their in rows:
        print(f"| {name} | {1e3 * mine:.0f} | {1e3 * their:.0f} | {their / mine:.2f} |")
    print(f"\nPost over DGS: {rows[1][1] / rows[0][1]:.2f} (nvs-jax), {rows[1][2] / rows[0][2]:.2f} (PyTorch)")


def jax_step(denoiser: SVDDenoiser, guidance: Guidance, x: np.ndarray) -> jax.Array:
    """One step, from `start` to the new latents."""
    weights = closed_form_weights(jnp.arange(float(x.shape[1])), 700.0)
    return jax.block_until_ready(run(start(jnp.asarray(x)), jnp.array(SIGMAS), denoiser, guidance, weights).x)


class TorchStep:
    """The same step written the way the release does it, around diffusers' UNet."""

    def __init__(self, unet: torch.nn.Module, *arrays: np.ndarray):
        self.unet = unet
        x, target, image, embedding = (torch.from_numpy(array) for array in arrays)
        self.x, self.target = (a.permute(0, 1, 4, 2, 3).contiguous() for a in (x, target))
        self.image = image.permute(0, 3, 1, 2)[:, None].expand(-1, x.shape[1], -1, -1, -1)
        self.embedding = embedding[:, None]
        self.scale = torch.linspace(1, 3, x.shape[1])[None, :, None, None, None]

    def __call__(self, posterior: bool) -> torch.Tensor:
        """Latents after the step."""
        sigma, sigma_next = SIGMAS
        x = self.correct(self.x, sigma) if posterior else self.x
        with torch.no_grad():
            zero = torch.zeros_like
            image = torch.cat([zero(self.image), self.image])
            context = torch.cat([zero(self.embedding), self.embedding])
            unconditional, conditional = self.x0(torch.cat([x, x]), sigma, image, context).chunk(2)
            x0 = self.select(unconditional + self.scale * (conditional - unconditional))
            return x + (x - x0) / sigma * (sigma_next - sigma)

    def correct(self, x: torch.Tensor, sigma: float) -> torch.Tensor:
        """The release's gradient step: its backward pass runs through the network although the input is detached."""
        x = x.clone().requires_grad_()
        x0 = self.x0(x, sigma, self.image, torch.zeros_like(self.embedding), detach=True)
        loss = (x0 - self.select(x0).detach()).square().mean()
        loss.backward()
        gradient = x.grad
        assert gradient is not None
        self.unet.zero_grad()
        return (x - 0.02 * sigma**0.5 * gradient / gradient.std()).detach()

    def x0(
        self, x: torch.Tensor, sigma: float, image: torch.Tensor, context: torch.Tensor, detach: bool = False
    ) -> torch.Tensor:
        """v-prediction around the network."""
        scaled = (x.detach() if detach else x) / (sigma**2 + 1) ** 0.5
        ids = torch.tensor([[6, 127, 0.02]]).expand(len(x), -1)
        v = self.unet(torch.cat([scaled, image], 2), 0.25 * np.log(sigma), context, ids).sample
        return -sigma / (sigma**2 + 1) ** 0.5 * v + x / (sigma**2 + 1)

    def select(self, x0: torch.Tensor) -> torch.Tensor:
        """Half of the values of each frame, those nearest to the target."""
        difference = (x0 - self.target).abs()
        ordered = difference.flatten(2).sort(-1).values
        cutoff = ordered[..., ordered.shape[-1] // 2, None, None, None]
        return torch.where(difference <= cutoff, self.target, x0)


def in_turn(one: Callable[[], object], other: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median seconds of two functions, called in turn after a warm-up, so that a drifting machine is fair to both."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for repeat in range(repeats + 1):
        for function, taken in zip((one, other), seconds, strict=True):
            begun = time.perf_counter()
            function()
            if repeat:
                taken.append(time.perf_counter() - begun)
    return float(np.median(seconds[0])), float(np.median(seconds[1]))


if __name__ == "__main__":
    tyro.cli(main)
