"""Which back end an attention takes: a rule on its shape, its dtype and the platform."""

import math
from typing import Any, Literal

import jax.numpy as jnp

Name = Literal["xla", "chunked", "cudnn", "splash"]
Backend = Literal["auto", "xla", "chunked", "cudnn", "splash"]

# "xla" keeps at most so many scores at once: 2^28 in float32 are 1 GiB.
MAX_SCORES = 2**28

# Shorter sequences (the frames at a location) have few scores, and would fill a small part of a kernel's blocks.
LONG = 512

# The widest head that cuDNN takes on every GPU it runs on, and that the TPU kernel's blocks have room for.
WIDEST_HEAD = 128


def choose_backend(query_shape: tuple[int, ...], key_length: int, dtype: Any, platform: str) -> Name:
    """The back end for an attention.

    Fused kernels, which never write the scores to memory, where both sequences are long, the head is not wider than
    128 and the dtype is one the kernel takes: "splash" on TPUs (bfloat16), "cudnn" on Nvidia GPUs (bfloat16 and
    float16, head width divisible by 8). Everywhere else "xla", which computes all scores at once, while there are at
    most `MAX_SCORES` of them, and "chunked" beyond.

    Args:
        query_shape: [b, n, heads, d].
        key_length: m.
        dtype: of the queries.
        platform: as JAX names it: "cpu", "tpu", "cuda".

    >>> [choose_backend((50, 9216, 5, 64), 9216, "bfloat16", platform) for platform in ("cpu", "tpu", "cuda")]
    ['chunked', 'splash', 'cudnn']
    >>> choose_backend((50, 9216, 5, 64), 9216, "float32", "tpu")
    'chunked'
    >>> choose_backend((18432, 25, 5, 64), 25, "bfloat16", "tpu")
    'xla'
    """
    *_, length, _, width = query_shape
    kind = jnp.dtype(dtype).name
    if min(length, key_length) >= LONG and width <= WIDEST_HEAD:
        if platform == "tpu" and kind == "bfloat16":
            return "splash"
        if platform == "cuda" and kind in ("bfloat16", "float16") and width % 8 == 0:
            return "cudnn"
    return "xla" if math.prod(query_shape[:-1]) * key_length <= MAX_SCORES else "chunked"
