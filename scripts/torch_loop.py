"""The release's sampling loop around diffusers' UNet in PyTorch: what the benchmarks compare with. No JAX here."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class LoopInputs:
    """What a run is told, in float32 and channels last.

    Attributes:
        noise: N(0, 1), [b, f, h, w, c].
        target: the warped views, without holes; half of the values are selected.
        image_latent: the given picture's, [b, h, w, c].
        embedding: the given picture's, [b, d].
        sigmas: noise levels.
    """

    noise: np.ndarray
    target: np.ndarray
    image_latent: np.ndarray
    embedding: np.ndarray
    sigmas: np.ndarray


class TorchLoop:
    """Euler's steps, unguided, with DGS or with Post, on the same conditions as ours.

    Args:
        unet: diffusers', as it is or compiled, on the device and in the dtype.
        inputs: of the run.
        kind: none, dgs or post.
        device: to run on.
        dtype: that the network computes in; the latents stay float32.
    """

    def __init__(
        self,
        unet: Any,
        inputs: LoopInputs,
        kind: str,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        self.unet, self.kind, self.dtype = unet, kind, dtype
        self.sigmas = [float(sigma) for sigma in inputs.sigmas]
        arrays = inputs.noise, inputs.target, inputs.image_latent, inputs.embedding
        start, target, image, embedding = (torch.tensor(array, device=device) for array in arrays)
        self.x, self.target = (a.permute(0, 1, 4, 2, 3).contiguous() for a in (start, target))
        self.image = image.permute(0, 3, 1, 2)[:, None].expand(-1, start.shape[1], -1, -1, -1)
        self.embedding = embedding[:, None]
        self.scale = torch.linspace(1, 3, start.shape[1], device=device)[None, :, None, None, None]

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
        ids = torch.tensor([[6, 127, 0.02]], device=x.device, dtype=self.dtype).expand(len(x), -1)
        # A float would be compiled in.
        timestep = torch.tensor(0.25 * np.log(sigma), device=x.device, dtype=torch.float32)
        latents = torch.cat([scaled, image], 2).to(self.dtype)
        v = self.unet(latents, timestep, context.to(self.dtype), ids).sample.to(x.dtype)
        return -sigma / (sigma**2 + 1) ** 0.5 * v + x / (sigma**2 + 1)

    def select(self, x0: torch.Tensor) -> torch.Tensor:
        """Half of the values of each frame, those nearest to the target."""
        difference = (x0 - self.target).abs()
        ordered = difference.flatten(2).sort(-1).values
        cutoff = ordered[..., ordered.shape[-1] // 2, None, None, None]
        return torch.where(difference <= cutoff, self.target, x0)
