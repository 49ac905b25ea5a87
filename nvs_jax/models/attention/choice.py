"""Which back end an attention takes: a rule on its shape, its dtype and the platform."""

import math
from typing import Any, Literal

import jax.numpy as jnp

Name = Literal["xla", "chunked", "cudnn", "splash"]
Backend = Literal["auto", "xla", "chunked", "cudnn", "splash"]

# "xla" keeps at most so many scores at once: 2^28 in float32 are 1 GiB.
MAX_SCORES = 2**28

# Shorter sequences (the frames at a location) have few scores, and would fill a small part of the TPU kernel's blocks.
LONG = 512

# From so many tokens on cuDNN's kernel moves less than XLA's products, which transpose queries, keys and values first.
SHORTEST_FOR_CUDNN = 16

# Up to this version its kernel reads beyond sequences that are no multiple of its blocks of 128.
FAULTY_CUDNN = (9, 15, 0)

# Of cuDNN's grid, for batch elements and for heads.
MOST_BLOCKS = 65_535

# The widest head that cuDNN takes on every GPU it runs on, and that the TPU kernel's blocks have room for.
WIDEST_HEAD = 128


def choose_backend(
    query_shape: tuple[int, ...],
    key_length: int,
    dtype: Any,
    platform: str,
    cudnn: tuple[int, ...] = FAULTY_CUDNN,
) -> Name:
    """The back end for an attention.

    Fused kernels, which never write the scores to memory, where the head is not wider than 128 and the dtype is one
    the kernel takes: "splash" on TPUs (bfloat16) for long sequences; "cudnn" on Nvidia GPUs (bfloat16 and float16,
    head width divisible by 8) for all but the shortest, or, where its version is one with a fault, for long ones that
    are multiples of its blocks. Everywhere else "xla", which computes all scores at once, while there are at most
    `MAX_SCORES` of them, and "chunked" beyond.

    Args:
        query_shape: [b, n, heads, d].
        key_length: m.
        dtype: of the queries.
        platform: as JAX names it: "cpu", "tpu", "cuda".
        cudnn: its version, (major, minor, patch, ..); by default the last one with the fault.

    >>> [choose_backend((50, 9216, 5, 64), 9216, "bfloat16", platform) for platform in ("cpu", "tpu", "cuda")]
    ['chunked', 'splash', 'cudnn']
    >>> choose_backend((50, 9216, 5, 64), 9216, "float32", "tpu")
    'chunked'
    >>> [choose_backend((18432, 25, 5, 64), 25, "bfloat16", "cuda", version) for version in ((9, 15, 0), (9, 15, 1))]
    ['xla', 'cudnn']
    """
    batch, length, heads, width = query_shape
    kind = jnp.dtype(dtype).name
    if width <= WIDEST_HEAD:
        if platform == "tpu" and kind == "bfloat16" and min(length, key_length) >= LONG:
            return "splash"
        taken = kind in ("bfloat16", "float16") and width % 8 == 0 and max(batch, heads) <= MOST_BLOCKS
        if platform == "cuda" and taken and _suits_cudnn(length, key_length, cudnn):
            return "cudnn"
    return "xla" if math.prod(query_shape[:-1]) * key_length <= MAX_SCORES else "chunked"


def _suits_cudnn(length: int, key_length: int, version: tuple[int, ...]) -> bool:
    if version[:3] > FAULTY_CUDNN:
        return min(length, key_length) >= SHORTEST_FOR_CUDNN
    return min(length, key_length) >= LONG and length % 128 == key_length % 128 == 0
