"""What the device can do at best."""

from collections.abc import Iterator

import jax

from scripts.accelerator.device import compiled, memory, normal
from scripts.accelerator.rows import Row
from scripts.accelerator.sizes import Size


def ceilings(size: Size) -> Iterator[Row]:
    """Memory, a copy, a product of random matrices."""
    limit = memory("bytes_limit")
    yield Row("memory for JAX", {} if limit is None else {"GB": limit}, "" if limit else "the device does not say")
    numbers = normal(size.copied // 4, dtype="bfloat16")
    figures = compiled(lambda x: x + x, numbers).figures(size)
    moved = 2 * numbers.nbytes
    yield Row("copy", {"GB": moved / 1e9, "TB/s": moved / figures["ms"] / 1e9, **figures})
    left, right = (normal(size.product, size.product, dtype="bfloat16", seed=seed) for seed in (0, 1))
    yield Row(f"product, {size.product} cubed, bfloat16", compiled(lambda x, y: x @ y, left, right).figures(size))
    jax.clear_caches()
