"""The release's sampling loop around diffusers' UNet in PyTorch: what `bench_sampler.py` compares with."""

from pathlib import Path

import numpy as np
import torch
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel

from nvs_jax.models.svd.denoiser import SVDDenoiser


class TorchLoop:
    """Euler's steps, unguided, with DGS or with Post, on the same conditions as ours.

    Args:
        folder: the UNet in diffusers' layout.
        denoiser: whose conditions are taken.
        noise: N(0, 1), channels last.
        target: the warped views, without holes; half of the values are selected.
        sigmas: noise levels.
        kind: none, dgs or post.
        compiled: by torch.compile.
    """

    def __init__(
        self,
        folder: Path,
        denoiser: SVDDenoiser,
        noise: np.ndarray,
        target: np.ndarray,
        sigmas: np.ndarray,
        kind: str,
        compiled: bool,
    ):
        unet = UNetSpatioTemporalConditionModel.from_pretrained(folder).eval()
        self.unet = torch.compile(unet) if compiled else unet
        self.kind, self.sigmas = kind, [float(sigma) for sigma in sigmas]
        arrays = noise, target, np.array(denoiser.image_latent), np.array(denoiser.embedding)
        start, target_, image, embedding = (torch.from_numpy(array) for array in arrays)
        self.x, self.target = (a.permute(0, 1, 4, 2, 3).contiguous() for a in (start, target_))
        self.image = image.permute(0, 3, 1, 2)[:, None].expand(-1, start.shape[1], -1, -1, -1)
        self.embedding = embedding[:, None]
        self.scale = torch.linspace(1, 3, start.shape[1])[None, :, None, None, None]

    def __call__(self) -> torch.Tensor:
        """All steps."""
        x = self.x * (self.sigmas[0] ** 2 + 1) ** 0.5
        for index in range(len(self.sigmas) - 1):
            x = self.step(index, x)
        return x

    def step(self, index: int, x: torch.Tensor | None = None) -> torch.Tensor:
        """Latents after a step."""
        sigma, sigma_next = self.sigmas[index : index + 2]
        x = self.x if x is None else x
        if self.kind == "post":
            x = self.correct(x, sigma)
        with torch.no_grad():
            zero = torch.zeros_like
            image = torch.cat([zero(self.image), self.image])
            context = torch.cat([zero(self.embedding), self.embedding])
            unconditional, conditional = self.x0(torch.cat([x, x]), sigma, image, context).chunk(2)
            x0 = unconditional + self.scale * (conditional - unconditional)
            x0 = self.select(x0) if self.kind == "dgs" else x0
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
        timestep = torch.tensor(0.25 * np.log(sigma), dtype=torch.float32)  # a float would be compiled in
        v = self.unet(torch.cat([scaled, image], 2), timestep, context, ids).sample
        return -sigma / (sigma**2 + 1) ** 0.5 * v + x / (sigma**2 + 1)

    def select(self, x0: torch.Tensor) -> torch.Tensor:
        """Half of the values of each frame, those nearest to the target."""
        difference = (x0 - self.target).abs()
        ordered = difference.flatten(2).sort(-1).values
        cutoff = ordered[..., ordered.shape[-1] // 2, None, None, None]
        return torch.where(difference <= cutoff, self.target, x0)
