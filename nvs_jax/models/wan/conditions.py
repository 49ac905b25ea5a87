"""What some of Wan's models are shown beside noisy latents: the first picture of a video, or warps and their holes."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from nvs_jax.geometry import Warp
from nvs_jax.models.wan.codec import WanCodec

GREY = 0.5
"""Where nothing is known: 0 in [-1, 1]."""


def first_picture(codec: WanCodec, picture: Float[Array, "H W 3"], frames: int) -> Float[Array, "1 f h w k"]:
    """On the channels of image-to-video models: which frames are known, and latents of a video that is grey after them.

    As published, a latent frame has a channel for each of its frames, and the first one all four of its only frame.
    """
    grey = jnp.full((frames - 1, *picture.shape), GREY, picture.dtype)
    latents = codec.encode(jnp.concatenate([picture[None], grey]))
    known = jnp.zeros((*latents.shape[:3], codec.config.frame_step), latents.dtype).at[0].set(1)
    return jnp.concatenate([known, latents], axis=-1)[None]


def warps_and_holes(codec: WanCodec, picture: Float[Array, "H W 3"], warp: Warp) -> Float[Array, "1 f h w k"]:
    """In VACE's branch: latents of what is known, of what is to be replaced, and which pixels those are.

    As published, holes are grey in the video itself, and the pixels of a cell in one frame stand for all frames of a
    latent: those of the frame nearest to its middle.
    """
    hole = jnp.concatenate([jnp.zeros_like(warp.hole[:1]), warp.hole])
    video = jnp.concatenate([picture[None], jnp.where(warp.hole[..., None], GREY, warp.pictures)])
    known, replaced = codec.encode(video), codec.encode(jnp.full_like(video, GREY))
    return jnp.concatenate([known, replaced, _pixels(hole, len(known), codec.config.stride)], axis=-1)[None]


def _pixels(mask: Bool[Array, "n H W"], latents: int, stride: int) -> Float[Array, "f h w k"]:
    """A cell's pixels, row by row, of one frame a latent frame."""
    n, height, width = mask.shape
    nearest = np.floor((np.arange(latents) + 0.5) * n / latents).astype(int)
    cells = mask[nearest].reshape(latents, height // stride, stride, width // stride, stride)
    return cells.transpose(0, 1, 3, 2, 4).reshape(*cells.shape[:2], cells.shape[3], -1).astype(jnp.float32)
