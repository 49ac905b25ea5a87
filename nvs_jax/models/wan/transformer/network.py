"""The transformer of Wan: the velocity of a noisy video, given its time, a prompt and, in some models, pictures."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.errors import InputError
from nvs_jax.models.layers import Linear, parameter
from nvs_jax.models.stacked import Parameters, Stacked, again
from nvs_jax.models.wan.config import TransformerConfig
from nvs_jax.models.wan.transformer.blocks import Block, Conditions, Tokens, VACEBlock, modulated
from nvs_jax.models.wan.transformer.embeddings import ConditionEmbedder, PatchEmbedding, from_patches
from nvs_jax.models.wan.transformer.layout import in_sequence, spread
from nvs_jax.models.wan.transformer.rotary import rotation


class WanTransformer(nnx.Module):
    """`WanTransformer3DModel`, and `WanVACETransformer3DModel` where the configuration names layers of VACE.

    Parameters are named as published, but those of `blocks` and `vace_blocks` lie side by side
    (`nvs_jax.models.stacked`), and the projection before VACE's first layer is `vace_proj_in`.
    """

    def __init__(self, config: TransformerConfig):
        width = config.width
        self.config = config
        self.patch_embedding = PatchEmbedding(config.in_channels, width, config.patch_size)
        self.condition_embedder = ConditionEmbedder(config)
        self.blocks = Stacked(Block(config), config.num_layers)
        if config.vace_layers:
            self.vace_patch_embedding = PatchEmbedding(config.vace_in_channels, width, config.patch_size)
            self.vace_proj_in = Linear(width, width)
            self.vace_blocks = Stacked(VACEBlock(config), len(config.vace_layers))
        self.scale_shift_table = parameter(1, 2, width)
        self.proj_out = Linear(width, config.patch_cells * config.out_channels)

    def __call__(
        self,
        x: Float[Array, "b f h w i"],
        timestep: Float[Array, "b #f"],
        text: Float[Array, "b s d"],
        *,
        image: Float[Array, "b t e"] | None = None,
        control: Float[Array, "b f h w k"] | None = None,
        remat: bool = False,
    ) -> Float[Array, "b f h w o"]:
        """The velocity noise - x0, in the dtype of `x`.

        Args:
            x: noisy latents (1 - t) x0 + t noise, in some models with more on channels; h and w divisible by the
                patch. Its dtype is the one computed in.
            timestep: 1000 t of each latent frame, or one for all.
            text: embeddings of the prompt.
            image: embeddings of a picture, for models that are told of one.
            control: what VACE's branch sees.
            remat: for gradients, compute what is inside a layer again instead of keeping it: less memory, more work.

        Raises:
            InputError: rows or columns are not divisible by the patch.
        """
        config = self.config
        _, rows, columns = config.patch_size
        if x.shape[2] % rows or x.shape[3] % columns:
            raise InputError(
                f"latents of {x.shape[2]}x{x.shape[3]} do not fit this transformer: make them multiples of "
                f"{rows}x{columns}"
            )
        tokens = self.patch_embedding(x)
        _, frames, rows, columns, _ = tokens.shape
        time, modulation = self.condition_embedder.time(timestep, x.dtype)
        conditions = Conditions(
            modulation,
            self.condition_embedder.told(text, image),
            jax.tree.map(
                lambda table: in_sequence(table, frames, len(x)),
                rotation(frames, rows, columns, config.attention_head_dim),
            ),
        )
        y = spread(_by_frame(tokens))
        if config.vace_layers:
            assert control is not None, "this transformer has a branch of VACE's: give what it sees"
            y = self._through_both(y, spread(_by_frame(self.vace_patch_embedding(control))), conditions, remat=remat)
        else:
            y = self.blocks.through(lambda block, y: block(y, conditions), y, remat=remat)
        table = self.scale_shift_table[...].astype(jnp.float32) + time[:, :, None]
        y = modulated(y, table[:, :, None, 0], table[:, :, None, 1], config.eps)
        y = self.proj_out(y)[:, :, : rows * columns].reshape(*tokens.shape[:4], -1)
        return from_patches(y, config.patch_size)

    def _through_both(self, x: Tokens, seen: Tokens, conditions: Conditions, *, remat: bool) -> Tokens:
        """Through both branches together: a layer of VACE's, then those of the main branch up to its next, the first of
        which is given its hint. Only one hint is kept at a time."""
        make, of_main = self.blocks.parts()
        make_vace, of_vace = self.vace_blocks.parts()
        grouped = jax.tree.map(lambda own: own.reshape(len(self.config.vace_layers), -1, *own.shape[1:]), of_main)

        def main(carry: tuple[Tokens, Tokens], own: Parameters) -> tuple[Any, None]:
            x, hint = carry
            return (make(own)(x, conditions) + hint, jnp.zeros_like(hint)), None

        def group(carry: tuple[Tokens, Tokens], own: tuple[Parameters, Parameters]) -> tuple[Any, None]:
            x, seen = carry
            seen, hint = make_vace(own[0]).with_hint(seen, conditions)
            (x, _), _ = jax.lax.scan(again(main) if remat else main, (x, hint), own[1])
            return (x, seen), None

        start = x, self.vace_proj_in(seen) + x
        return jax.lax.scan(again(group) if remat else group, start, (of_vace, grouped))[0][0]


def _by_frame(tokens: Float[Array, "b f r s c"]) -> Tokens:
    return tokens.reshape(*tokens.shape[:2], -1, tokens.shape[-1])
