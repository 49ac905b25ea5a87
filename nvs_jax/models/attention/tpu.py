"""JAX's flash attention for TPUs ("splash"), without its sparsity: the scores never leave the chip's own memory."""

from functools import partial

import jax
import jax.numpy as jnp

# Not inside of a program that is being traced: the first import of Pallas adds to what JAX tells programs apart by, so
# that every program made before would be made again.
from jax.experimental.pallas.ops.tpu import splash_attention as kernels
from jaxtyping import Array, Float

# The kernel's unit along sequences, and the largest block that its scores in float32 leave room for.
LANES = 128
LARGEST_BLOCK = 768


def splash(
    query: Float[Array, "b n heads d"],
    key: Float[Array, "b m heads d"],
    value: Float[Array, "b m heads d"],
    *,
    interpret: bool = False,
) -> Float[Array, "b n heads d"]:
    """Attention of every batch element by the kernel, forward and backward.

    Sequences are padded to whole blocks. Padded keys belong to a segment of their own, which no query sees; padded
    queries' results are dropped. A pure function of one device's arrays: under `jax.shard_map` each device runs it on
    its share of batch, heads or queries.

    Args:
        query: queries.
        key: keys.
        value: values.
        interpret: run the kernel step by step on any device, slowly, for tests.
    """
    (_, n, heads, d), m = query.shape, key.shape[1]
    queries, keys = -(-n // LANES) * LANES, -(-m // LANES) * LANES
    q_block, kv_block = block_size(queries), block_size(keys)
    kernel = kernels.make_splash_mha(
        mask=kernels.MultiHeadMask([kernels.FullMask((queries, keys))] * heads),
        block_sizes=kernels.BlockSizes(
            block_q=q_block,
            block_kv=kv_block,
            block_q_dkv=q_block,
            block_kv_dkv=kv_block,
            block_q_dq=q_block,
            block_kv_dq=kv_block,
        ),
        head_shards=1,
        q_seq_shards=1,
        interpret=interpret,
    )
    segments = None
    if keys > m:
        segments = kernels.SegmentIds(jnp.zeros(queries, jnp.int32), (jnp.arange(keys) >= m).astype(jnp.int32))

    def heads_first(x: Array, length: int) -> Array:
        return jnp.pad(x, ((0, 0), (0, length - x.shape[1]), (0, 0), (0, 0))).swapaxes(1, 2)

    scaled = query * jnp.asarray(d**-0.5, query.dtype)
    attend = jax.vmap(partial(kernel, segment_ids=segments))
    result = attend(heads_first(scaled, queries), heads_first(key, keys), heads_first(value, keys))
    assert isinstance(result, jax.Array)  # no pair with residuals, which were not asked for
    return result.swapaxes(1, 2)[:, :n]


def block_size(length: int) -> int:
    """The largest block that divides a padded length.

    >>> [block_size(length) for length in (9216, 2304, 640, 128)]
    [768, 768, 640, 128]
    """
    return max(size for size in range(LANES, LARGEST_BLOCK + 1, LANES) if length % size == 0)
