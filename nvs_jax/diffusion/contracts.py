"""What the solver asks of a video model: two small contracts, met by structure (nothing has to be inherited).

A model is a pytree: weights and conditions are leaves, structure and settings are static. It is passed through jit,
never closed over outside it, which would bake its weights into the program.
"""

from typing import Protocol, runtime_checkable

from jaxtyping import Array, Bool, Float, Int

from nvs_jax.diffusion.randomness import Keys
from nvs_jax.windows import Window

Latents = Float[Array, "b f h w c"]
Sigma = Float[Array, ""]
FrameTrust = Float[Array, "f"]
CellTrust = Float[Array, "f h w"]
TrustValues = FrameTrust | CellTrust
"""w of each frame, or of each latent cell of each frame."""


@runtime_checkable
class Denoiser(Protocol):
    """The network's estimate of the clean latents, in EDM's convention `x = x0 + sigma * noise`."""

    def __call__(self, x: Latents, sigma: Sigma) -> Latents:
        """The guided (CFG) estimate of x0."""
        ...

    def probe(self, x: Latents, sigma: Sigma) -> Latents:
        """A single conditional estimate of x0, the cheaper one that posterior guidance differentiates."""
        ...

    def window(self, window: Window) -> "Denoiser":
        """The same denoiser with its spatial conditions cropped to a window of latent cells."""
        ...


@runtime_checkable
class Codec(Protocol):
    """Pictures to latents and back. It alone knows scale and padding rules, and how frames share a latent."""

    def encode(self, pictures: Float[Array, "n H W 3"]) -> Float[Array, "f h w c"]:
        """Latents of a video whose pixels lie in [0, 1], in the units the denoiser works in."""
        ...

    def decode(self, latents: Latents) -> Float[Array, "b n H W 3"]:
        """Frames in [0, 1]."""
        ...

    def pool_mask(self, mask: Bool[Array, "n H W"]) -> Bool[Array, "f h w"]:
        """Which latent cells a pixel mask claims."""
        ...

    def pool_frames(self, values: Float[Array, "n"]) -> Float[Array, "f"]:
        """One value a latent frame from one value a frame."""
        ...


@runtime_checkable
class Trust(Protocol):
    """How much each frame trusts its warped view at a noise level: w = lambda / (1 + lambda)."""

    def __call__(self, sigma: Sigma) -> TrustValues:
        """w at `sigma`, in [0, 1], a value per latent frame or per latent cell."""
        ...


@runtime_checkable
class Guidance(Protocol):
    """Two hooks around an ordinary solver step; each may be the identity.

    Each gets a random key of its own for every step, or one a video: `nvs_jax.diffusion.normal` draws from either. All
    estimates of one step share theirs, so that a step of several stages is one of an ODE.
    """

    def correct(self, x: Latents, sigma: Sigma, w: TrustValues, denoiser: Denoiser, key: Keys) -> Latents:
        """Move the noisy latents before the step (posterior sampling)."""
        ...

    def estimate(self, x0: Latents, sigma: Sigma, w: TrustValues, key: Keys) -> Latents:
        """Replace the network's estimate inside the step (directly guided sampling)."""
        ...


@runtime_checkable
class Choosing(Protocol):
    """A guidance that chooses among the videos of a batch after a step, by the network's own estimates of them."""

    def parents(self, x0: Latents, sigma: Sigma, key: Keys) -> Int[Array, "b"]:
        """Which video goes on in the place of each."""
        ...
