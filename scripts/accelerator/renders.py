"""Whole renders with random weights, and the VAE's part of them."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from nvs_jax.geometry import Warp
from nvs_jax.models.svd.build import build
from nvs_jax.models.svd.model import SVD
from nvs_jax.pipeline import Pipeline, override
from nvs_jax.settings import MemorySettings, RenderSettings
from nvs_jax.steering.conditions import Conditions
from scripts.accelerator.device import compiling, from_cache, memory, normal
from scripts.accelerator.rows import Row
from scripts.accelerator.sampling import networks
from scripts.accelerator.sizes import Size
from scripts.accelerator.timing import time_of
from scripts.accelerator.weights import draw, quick_weights

ORDER = "first", "second", "third"


def pipeline(size: Size, *, unet: bool) -> Pipeline:
    """A model with random weights, with or without its largest network."""
    of, tile = size.networks, draw(size.tile)
    return Pipeline(
        SVD(
            networks(
                size,
                unet=quick_weights(build(of.unet), size.dtype, tile) if unet else None,
                vae=quick_weights(build(of.vae), "float32", tile),
                image_encoder=quick_weights(build(of.image_encoder), size.dtype, tile),
            )
        )
    )


def conditions(size: Size) -> Conditions:
    """Random pictures, a quarter of whose pixels are holes."""
    rng = np.random.default_rng(0)
    shape = size.frames - 1, size.height, size.width
    hole = rng.random(shape) < 0.25
    pictures = rng.random((*shape, 3), np.float32)
    warp = Warp(pictures=jnp.asarray(pictures), valid=jnp.asarray(~hole), hole=jnp.asarray(hole))
    return Conditions(rng.random((*shape[1:], 3), np.float32), warp, jnp.arange(size.frames, dtype=jnp.float32))


def vae(size: Size) -> Iterator[Row]:
    """The programs of the pipeline; decoding in both dtypes, and how far they are apart."""
    pipe, given = pipeline(size, unet=False), conditions(size)
    settings = override(RenderSettings(), steps=size.steps)
    yield _timed(
        f"encode {size.frames} pictures, and embed one",
        lambda: pipe.prepare(given, jax.random.key(0), settings).noise,
        size,
    )[0]
    latents = normal(1, size.frames, *size.cells, size.networks.vae.latent_channels)
    decoded = {}
    for dtype in ("bfloat16", "float32"):  # in this order, since the most memory so far only grows
        chosen = replace(settings, memory=MemorySettings(vae_dtype=dtype))
        what = f"decode {size.frames} frames, {dtype}"
        row, decoded[dtype] = _timed(what, lambda chosen=chosen: pipe.decode(latents, chosen), size)
        yield row
    found = psnr(decoded["bfloat16"], decoded["float32"])
    yield Row("decoding in bfloat16 against float32", {"PSNR, dB": found})


def psnr(got: jax.Array | np.ndarray, wanted: jax.Array | np.ndarray) -> float:
    """In dB, of pictures in [0, 1]; at most 120.

    >>> round(psnr(np.zeros(2), np.full(2, 0.1)), 6), psnr(np.zeros(2), np.zeros(2))
    (20.0, 120.0)
    """
    return -10 * math.log10(max(float(((got - wanted) ** 2).mean()), 1e-12))


def _timed(what: str, call: Callable[[], jax.Array], size: Size) -> tuple[Row, jax.Array]:
    """A row, and what the first call gave."""
    hits, begun = from_cache(), time.perf_counter()
    result = jax.block_until_ready(call())
    first = time.perf_counter() - begun
    seconds = time_of(call, jax.block_until_ready, size)
    figures = {"s": seconds, "first time, s": first, "programs from the cache": from_cache() - hits}
    return Row(what, figures | ({"GB at most": peak} if (peak := memory()) else {})), result


def end_to_end(size: Size) -> Iterator[Row]:
    """`Pipeline.render_conditions`, DGS; the first time with compiling, or reading what earlier stages compiled.

    Later ones should compile nothing; where a second one takes longer than a third, the device is still getting ready.
    """
    pipe, given = pipeline(size, unet=True), conditions(size)
    settings = override(RenderSettings(), "dgs", size.steps)
    for turn in range(1 + size.whole_runs):
        hits, (programs, spent), begun = from_cache(), compiling(), time.perf_counter()
        ends: dict[str, float] = {}

        def report(stage: str, done: int, total: int, begun: float = begun, ends: dict[str, float] = ends) -> None:
            ends[stage] = time.perf_counter() - begun

        with _explained() if turn else nullcontext():
            render = pipe.render_conditions(given, settings=settings, report=report)
        figures = {"s": time.perf_counter() - begun}
        parts = zip(ends, [0.0, *ends.values()], ends.values(), strict=False)
        figures |= {f"{stage} s": end - before for stage, before, end in parts}
        figures |= {"GB at most": peak} if (peak := memory()) else {}
        figures |= {"programs": compiling()[0] - programs, "compiling s": compiling()[1] - spent}
        figures |= {"programs from the cache": from_cache() - hits} if not turn else {}
        good = bool(np.isfinite(render.frames).all())
        note = "" if good else "frames are not finite"
        yield Row(f"render of {size.steps} steps, {ORDER[min(turn, 2)]}", figures, note, not good)


@contextmanager
def _explained() -> Iterator[None]:
    """Of every program that is compiled meanwhile, of which there should be none, the stage's log says why."""
    before = {flag: getattr(jax.config, flag) for flag in ("jax_log_compiles", "jax_explain_cache_misses")}
    for flag in before:
        jax.config.update(flag, True)
    try:
        yield
    finally:
        for flag, value in before.items():
            jax.config.update(flag, value)
