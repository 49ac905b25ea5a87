"""The network of Stable Video Diffusion: a UNet over space whose every block also looks along time."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.errors import InputError
from nvs_jax.models.embeddings import TimestepEmbedding, sinusoids
from nvs_jax.models.layers import Conv, GroupNorm
from nvs_jax.models.svd.config import UNetConfig
from nvs_jax.models.svd.layout import per_frame
from nvs_jax.models.svd.resnet import GROUPS
from nvs_jax.models.svd.unet.blocks import BlockInputs, DownBlock, Level, MidBlock, UpBlock
from nvs_jax.models.svd.unet.transformer import MixedContext


class UNetSpatioTemporal(nnx.Module):
    """`UNetSpatioTemporalConditionModel`, for videos only.

    Parameters are named as published; they get their values from `nvs_jax.models.weights.bind`.
    """

    def __init__(self, config: UNetConfig):
        widths, layers = config.block_out_channels, config.layers_per_block
        temb_channels = 4 * widths[0]
        self.config = config
        self.conv_in = Conv(config.in_channels, widths[0], (3, 3))
        self.time_embedding = TimestepEmbedding(widths[0], temb_channels, temb_channels)
        self.add_embedding = TimestepEmbedding(
            config.projection_class_embeddings_input_dim, temb_channels, temb_channels
        )

        last = len(widths) - 1
        above = (widths[0], *widths[:-1])
        skips = [widths[0]]
        self.down_blocks = nnx.List([])
        for i, kind in enumerate(config.down_block_types):
            level = _level(config, i, transformers=kind.startswith("CrossAttn"))
            self.down_blocks.append(DownBlock(above[i], level, layers[i], downsample=i < last))
            skips += [widths[i]] * (layers[i] + (i < last))

        self.mid_block = MidBlock(_level(config, last, transformers=True))

        below = (*widths[1:], widths[-1])
        self.up_blocks = nnx.List([])
        for i, kind in zip(reversed(range(len(widths))), config.up_block_types, strict=True):
            level = _level(config, i, transformers=kind.startswith("CrossAttn"))
            taken = [skips.pop() for _ in range(layers[i] + 1)]
            self.up_blocks.append(UpBlock(below[i], level, taken, upsample=i > 0))

        self.conv_norm_out = GroupNorm(GROUPS, widths[0], 1e-5)
        self.conv_out = Conv(widths[0], config.out_channels, (3, 3))

    def __call__(
        self,
        x: Float[Array, "b f h w i"],
        timestep: Float[Array, "#b"],
        context: Float[Array, "b s d"],
        time_ids: Float[Array, "#b k"],
        *,
        mixed_context: MixedContext | None = None,
        remat: bool = False,
    ) -> Float[Array, "b f h w o"]:
        """The network's raw output, in the dtype of `x`.

        Args:
            x: scaled noisy latents and the picture's latent, concatenated on channels; h and w divisible by
                `config.stride`. Its dtype is the one computed in.
            timestep: the network's time, 0.25 ln sigma. Where this and `time_ids` are one row for the whole batch, it
                becomes a part of biases, which saves a GPU writing its embedding at full size.
            context: the picture's embedding, usually one token.
            time_ids: frames a second less one, motion bucket, noise augmentation.
            mixed_context: what the temporal cross-attentions see instead of `context`, if not None.
            remat: for gradients, compute what is inside a layer again instead of keeping it: less memory, more work.
                Without gradients it changes nothing.

        Raises:
            InputError: h or w is not divisible by `config.stride`.
        """
        stride = self.config.stride
        if x.shape[2] % stride or x.shape[3] % stride:
            raise InputError(
                f"latents of {x.shape[2]}x{x.shape[3]} do not fit this UNet: make both divisible by {stride}"
            )
        conditions = jax.tree.map(
            lambda array: array.astype(x.dtype) if jnp.issubdtype(array.dtype, jnp.floating) else array,
            BlockInputs(self._time_embedding(timestep, time_ids), context, mixed_context, remat),
        )

        x = per_frame(self.conv_in, x)
        skips = [x]
        for block in self.down_blocks:
            skips += block(skips[-1], conditions)
        x = self.mid_block(skips[-1], conditions)
        for block in self.up_blocks:
            x = block(x, [skips.pop() for _ in block.resnets], conditions)
        return per_frame(self.conv_out, jax.nn.silu(per_frame(self.conv_norm_out, x)))

    def _time_embedding(self, timestep: Array, time_ids: Array) -> Array:
        """[#b, t], in float32 whatever the network computes in."""
        config = self.config
        time = self.time_embedding(sinusoids(timestep, config.block_out_channels[0]))
        ids = sinusoids(time_ids, config.addition_time_embed_dim).reshape(len(time_ids), -1)
        return time + self.add_embedding(ids)


def _level(config: UNetConfig, i: int, *, transformers: bool) -> Level:
    """The sizes of level i; a level whose depths are too few for the way up repeats the last."""
    depths = config.transformer_layers_per_block[i]
    depths += depths[-1:] * (config.layers_per_block[i] + 1 - len(depths))
    return Level(
        channels=config.block_out_channels[i],
        temb_channels=4 * config.block_out_channels[0],
        depths=depths if transformers else None,
        heads=config.num_attention_heads[i],
        context_channels=config.cross_attention_dim[i],
    )
