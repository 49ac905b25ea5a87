"""Whether the device computes what a CPU in float32 does.

JAX_PLATFORMS=cpu python -m scripts.accelerator.numerics        writes tests/data/accelerator/svd_tiny.npz again
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from nvs_jax.diffusion import Euler, init, step
from nvs_jax.disk import atomic_path
from nvs_jax.models.attention import Name, attention
from nvs_jax.models.attention.library import runs_cudnn
from nvs_jax.models.attention.queries import chunked
from nvs_jax.models.svd.config import UNetConfig
from nvs_jax.models.svd.unet.network import UNetSpatioTemporal
from nvs_jax.models.weights import Weights, bind
from scripts.accelerator.child import reason
from scripts.accelerator.device import error, normal
from scripts.accelerator.rows import Row
from scripts.accelerator.sizes import Size
from tests.models.svd.replay import DATA, channels_last, read_unet, set_up

STORED = DATA / "accelerator" / "svd_tiny.npz"
FRAMES, CELLS = 3, 16
ALLOWED = {"float32": 2e-5, "default": 2e-3, "bfloat16": 4e-2}
"""Largest difference over largest value, by precision: a CPU's own are 1.4e-6 and, in bfloat16, 2.6e-2. Default is a
GPU's TF32; a TPU's is bfloat16."""
ALLOWED_BY_ATTENTION = 1e-2
ALLOWED_BY_SOLVER = 2e-4
"""As the tests of the replay have it, which also let one value in 10,000 be off."""


def numerics(size: Size) -> Iterator[Row]:
    """A small published UNet, attention's back ends, the release's recorded steps."""
    stored = dict(np.load(STORED))
    for precision in size.precisions:
        narrow = precision == "default" and jax.default_backend() == "tpu"
        allowed = ALLOWED["bfloat16" if narrow else precision]
        yield _checked(f"svd-tiny UNet, {precision}", allowed, lambda precision=precision: _unet(stored, precision))
    for tokens in size.tokens:
        for backend in ("cudnn", "splash", "xla"):
            yield _attention(backend, tokens)
    if size.released_steps:
        yield _checked("solver, the release's latents", ALLOWED_BY_SOLVER, lambda: _solver(size.released_steps))
    else:
        yield Row("solver, the release's latents", note="left out at this size: tests/models/svd/test_replay.py has it")


def _checked(what: str, allowed: float, measure: Callable[[], float]) -> Row:
    """A difference, and whether it is as small as it should be."""
    try:
        found = measure()
    except Exception as problem:  # whatever a library may think of
        return Row(what, note=reason(problem), failed=True)
    good = found <= allowed  # a value that is none is not
    return Row(what, {"difference": found, "at most": allowed}, "" if good else "more than allowed", not good)


def _unet(stored: Mapping[str, np.ndarray], precision: str) -> float:
    config, weights = read_unet()
    with jax.default_matmul_precision("highest" if precision == "float32" else "default"):
        return error(
            _evaluated(config, weights, stored, "bfloat16" if precision == "bfloat16" else "float32"),
            jnp.asarray(stored["v"]),
        )


def _evaluated(config: UNetConfig, weights: Weights, inputs: Mapping[str, np.ndarray], dtype: str) -> Array:
    @jax.jit
    def evaluate(weights: Weights, x: Array, context: Array, noise: Array, ids: Array) -> Array:
        return bind(UNetSpatioTemporal(config), weights)(x, noise, context, ids)

    narrow = {name: weight.astype(dtype) for name, weight in weights.items()}
    x, context = (jnp.asarray(inputs[name], dtype) for name in ("x", "context"))
    return evaluate(narrow, x, context, jnp.asarray(inputs["noise"]), jnp.asarray(inputs["ids"]))


def _attention(backend: Name, tokens: int) -> Row:
    """A back end in bfloat16 against float32 in chunks, from the same queries, keys and values."""
    what = f"attention, {backend}, {tokens} tokens"
    if backend == "cudnn" and not runs_cudnn():
        return Row(what, note="left out: it needs an Nvidia GPU")
    if backend == "splash" and jax.default_backend() != "tpu":
        return Row(what, note="left out: it needs a TPU")
    if backend == "xla" and tokens > 2304:
        return Row(what, note="left out: so many scores are computed in chunks")

    def measure() -> float:
        q, k, v = (normal(2, tokens, 5, 64, dtype="bfloat16", seed=seed) for seed in range(3))
        with jax.default_matmul_precision("highest"):
            wanted = jax.jit(chunked)(*(x.astype("float32") for x in (q, k, v)))
        return error(jax.jit(attention, static_argnames="backend")(q, k, v, backend=backend), wanted)

    return _checked(what, ALLOWED_BY_ATTENTION, measure)


def _solver(steps: int) -> float:
    """The difference that all but one in 10,000 values keep, after any step."""
    stored = dict(np.load(DATA / "solver" / "single_dgs.npz"))
    sigmas, worst = stored["sigmas"], 0.0
    stepped = jax.jit(partial(step, solver=Euler()))
    with jax.default_matmul_precision("highest"):
        setup, carry = set_up("single_dgs", stored), init(channels_last(stored["init"]))
        for index in range(steps):
            levels = (jnp.asarray(sigma) for sigma in sigmas[index : index + 2])
            carry = stepped(carry, *levels, **setup._asdict())
            wanted = channels_last(stored["latents"][index])
            off = np.asarray(jnp.abs(carry.x - wanted) / jnp.abs(wanted).max())
            worst = float(np.maximum(worst, np.quantile(off, 1 - 1e-4)))
    return worst


def write_stored() -> None:
    """Inputs and the UNet's answer to them."""
    rng = np.random.default_rng(0)
    config, weights = read_unet()
    inputs = {
        "x": rng.standard_normal((2, FRAMES, CELLS, CELLS, config.in_channels), np.float32),
        "context": rng.standard_normal((2, 1, config.cross_attention_dim[0]), np.float32),
        "noise": np.array([1.0], np.float32),
        "ids": np.array([[6, 127, 0.02]], np.float32),
    }
    with jax.default_matmul_precision("highest"):
        v = np.asarray(_evaluated(config, weights, inputs, "float32"))
    with atomic_path(STORED) as path:
        np.savez_compressed(path, allow_pickle=False, v=v, **inputs)


if __name__ == "__main__":
    if jax.default_backend() != "cpu":
        raise SystemExit("error: what is stored comes from a CPU: set JAX_PLATFORMS=cpu")
    write_stored()
