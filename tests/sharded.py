"""Runs the sampler on a mesh of forced host devices, in processes of its own: XLA has as many as it was started with.

python -m tests.sharded OUT MESH CASE ...    e.g. out.json 2,4,1 small:dgs-25
"""

import dataclasses
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nvs_jax.settings import GuidanceSettings

ROOT = Path(__file__).parents[1]
SIZE, SIGMAS = (8, 16), (3.0, 2.0)
METHODS = {
    "dgs": GuidanceSettings(),
    "post": GuidanceSettings("post"),
    "post-full": GuidanceSettings("post", gradient="full"),
}


def run_sharded(out: Path, mesh: str, *cases: str, processes: int = 1) -> dict[str, Any]:
    """What `main` writes, after running it on eight devices."""
    run_processes(["tests.sharded", str(out), mesh, *cases], processes)
    return json.loads(out.read_text())


def run_processes(
    module: list[str],
    processes: int = 1,
    devices: int = 8,
    meanwhile: Callable[[list[subprocess.Popen[str]]], None] = lambda _: None,
    code: int = 0,
) -> list[str]:
    """Run a module and its arguments in so many processes that meet, and have `devices` devices together.

    One process meets itself, so that sums are those of the same library, Gloo, and made in the same order.

    Args:
        module: and its arguments.
        processes: how many.
        devices: how many.
        meanwhile: called with the processes when they have started.
        code: with which all of them must end.

    Returns:
        What each of them said.
    """
    started = start_processes(module, processes, devices)
    meanwhile(started)
    said = [process.communicate(timeout=3000)[0] for process in started]
    assert all(process.returncode == code for process in started), "\n".join(said)
    return said


def start_processes(module: list[str], processes: int, devices: int = 8) -> list[subprocess.Popen[str]]:
    """Start them; see `run_processes`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    level = "--xla_backend_optimization_level=1"  # which keeps rounding, and compiles faster
    flags = f"{level} --xla_force_host_platform_device_count={devices // processes}"
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags, "PYTHONPATH": str(ROOT)}
    environment |= {"JAX_COORDINATOR_ADDRESS": address, "JAX_NUM_PROCESSES": str(processes)}
    return [
        subprocess.Popen(
            [sys.executable, "-m", *module],
            env=environment | {"JAX_PROCESS_ID": str(index)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        for index in range(processes)
    ]


def main(out: Path, mesh_shape: str, cases: list[str]) -> None:
    """For every case: x after a step on the mesh, its difference from one device's, and the program's collectives."""
    import jax
    import numpy as np

    from nvs_jax.diffusion import run_steps
    from nvs_jax.planning.collectives import collectives
    from nvs_jax.runs.processes import join_cluster
    from nvs_jax.sharding import make_mesh, place, use

    share = join_cluster().share
    branches, frames, rows = map(int, mesh_shape.split(","))
    mesh = make_mesh(branches, frames, rows)
    results = {}
    step = jax.jit(lambda *arguments: run_steps(*arguments).x)
    for case in cases:
        if case == "attention":
            with use(mesh):
                results[case] = attention_on_the_mesh()
            continue
        if case == "wan-vae":
            results[case] = vae_on_the_mesh(mesh)
            continue
        if case.startswith("wan:"):
            results[case] = transformer_on_the_mesh(mesh, case.removeprefix("wan:"))
            continue
        arguments = setup(case)
        with use(mesh):
            placed = place(arguments, mesh)
            compiled = step.lower(*placed).compile()
            result = compiled(*placed)
        assert result.sharding.is_fully_replicated
        x = np.asarray(result)
        results[case] = {"x": x.tolist(), "latent_bytes": x.nbytes, "largest": float(np.abs(x).max())}
        results[case]["collectives"] = [each._asdict() for each in collectives(compiled.as_text() or "")]
        if share.count == 1:
            results[case]["difference"] = float(np.abs(x - np.asarray(step(*arguments))).max())
    if share.index == 0:
        out.write_text(json.dumps(results))
    jax.distributed.shutdown()


def attention_on_the_mesh() -> dict[str, Any]:
    """Differences of the back ends from plain attention, and the program that a TPU would get."""
    from functools import partial

    import jax
    import jax.numpy as jnp
    import numpy as np

    from nvs_jax.models.attention import attention
    from nvs_jax.models.attention.library import whole
    from nvs_jax.models.attention.tpu import splash
    from nvs_jax.sharding import over_batch

    rng = np.random.default_rng(0)
    qkv = [jnp.asarray(rng.standard_normal((5, 128, 1, 8), np.float32)) for _ in range(3)]
    expected = np.asarray(whole(*qkv))
    chunked = jax.jit(partial(attention, backend="chunked"))(*qkv)
    kernel = jax.jit(partial(over_batch, partial(splash, interpret=True)))(*qkv)
    shape = jax.ShapeDtypeStruct((25, 1024, 2, 64), jnp.bfloat16)
    program = jax.jit(attention).trace(shape, shape, shape).lower(lowering_platforms=("tpu",)).as_text()
    return {
        "chunked": float(np.abs(chunked - expected).max()),
        "splash": float(np.abs(kernel - expected).max()),
        "of_each_device": "manual_computation" in program and "tensor<4x2x1024x64xbf16>" in program,
        "kernel": "tpu_custom_call" in program,
    }


def transformer_on_the_mesh(mesh: Any, case: str) -> dict[str, Any]:
    """Wan's transformer on a mesh: its difference from one device's, and the program's collectives.

    Args:
        mesh: devices.
        case: how many videos, and what weights are: 2-whole, 1-divided.
    """
    import jax
    import jax.numpy as jnp
    import numpy as np

    from nvs_jax.models.wan.config import TransformerConfig
    from nvs_jax.models.wan.transformer.network import WanTransformer
    from nvs_jax.models.weights import bind, random_weights
    from nvs_jax.planning.collectives import collectives
    from nvs_jax.sharding import divided_weights, place, put, use

    batch, _, kind = case.partition("-")
    sizes: dict[str, Any] = {"in_channels": 2, "out_channels": 2, "text_dim": 6, "freq_dim": 8, "ffn_dim": 16}
    config = TransformerConfig(
        **sizes, num_attention_heads=4, attention_head_dim=12, num_layers=4, vace_layers=(0, 2), vace_in_channels=3
    )
    weights, b, rng = random_weights(WanTransformer(config), 0), int(batch), np.random.default_rng(0)

    def normal(*shape: int) -> Any:
        return jnp.asarray(rng.standard_normal(shape, np.float32))

    # 15 locations, which no mesh divides evenly, and a time for each frame.
    given = normal(b, 3, 6, 10, 2), 500 + 100 * normal(b, 3), normal(b, 5, 6), normal(b, 3, 6, 10, 3)

    @jax.jit
    def evaluate(weights: Any, x: Any, time: Any, text: Any, control: Any) -> Any:
        return bind(WanTransformer(config), weights)(x, time, text, control=control)

    alone = np.asarray(evaluate(weights, *given))
    with use(mesh):
        at_home = divided_weights(mesh)
        if kind == "divided":
            weights = {name: put(weight, at_home(weight.shape)) for name, weight in weights.items()}
        placed = place((weights, *given), mesh)
        compiled = evaluate.lower(*placed).compile()
        made = np.asarray(compiled(*placed))
    return {
        "difference": float(np.abs(made - alone).max() / np.abs(alone).max()),
        "divided": sum(not weight.sharding.is_fully_replicated for weight in placed[0].values()),
        "collectives": [each._asdict() for each in collectives(compiled.as_text() or "")],
    }


def vae_on_the_mesh(mesh: Any) -> dict[str, Any]:
    """Wan's VAE on a mesh: its differences from one device's. Of 3x5 cells, whose columns do not divide evenly."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from nvs_jax.models.wan.vae.network import VAE
    from nvs_jax.models.weights import bind, random_weights
    from nvs_jax.sharding import use
    from tests.models.wan.tiny import CONFIGS

    config, rng = CONFIGS["vae"], np.random.default_rng(0)
    weights, made = random_weights(VAE(config), 0), {}
    # Apart for every mesh: JAX would keep the program made without one.
    decode, encode = (
        lambda: jax.jit(lambda weights, x: bind(VAE(config), weights).decode(x)),
        lambda: jax.jit(lambda weights, x: bind(VAE(config), weights).encode(x)),
    )
    latents = jnp.asarray(rng.standard_normal((1, 2, 3, 5, config.z_dim), np.float32))
    video = decode()(weights, latents)
    whole = video, encode()(weights, video)
    with use(mesh):
        divided = decode()(weights, latents), encode()(weights, video)
    for name, one, other in zip(("decode", "encode"), whole, divided, strict=True):
        made[name] = float(jnp.abs(one - other).max() / jnp.abs(one).max())
    return made


def setup(case: str) -> tuple[Any, ...]:
    """What `step` takes: random latents, views and holes for the network, the method and the frames a case names."""
    import jax.numpy as jnp
    import numpy as np

    from nvs_jax.diffusion import TabulatedTrust, init
    from nvs_jax.diffusion.assemble import make_guidance
    from nvs_jax.diffusion.estimates import WarpedViews
    from nvs_jax.models.svd.denoiser import SVDDenoiser

    network, _, rest = case.partition(":")
    method, _, frames = rest.rpartition("-")
    rng, (h, w), f = np.random.default_rng(0), SIZE, int(frames)
    config, weights = tiny_network() if network == "small" else parity_network()

    def normal(*shape: int) -> Any:
        return jnp.asarray(rng.standard_normal(shape, np.float32))

    denoiser = SVDDenoiser(
        weights=weights,
        image_latent=normal(1, h, w, 4),
        embedding=normal(1, config.cross_attention_dim[0]),
        time_ids=jnp.array([6, 127, 0.02]),
        guidance_scale=jnp.linspace(1, 3, f),
        config=config,
        mixed_context=True,
    )
    views = WarpedViews(normal(1, f, h, w, 4), jnp.asarray(rng.random((1, f, h, w)) < 0.2))
    guidance = make_guidance(METHODS[method], views, config.stride)
    sigmas = jnp.array(SIGMAS)
    table = TabulatedTrust(sigmas[:1], jnp.linspace(1, 0.3, f)[None])
    return init(SIGMAS[0] * normal(1, f, h, w, 4)), sigmas, denoiser, guidance, table


def parity_network() -> tuple[Any, Any]:
    """The parity files' UNet."""
    from tests.models.svd.replay import read_unet

    return read_unet()


def tiny_network() -> tuple[Any, Any]:
    """A UNet of two levels, whose lower one has no transformer, with random weights."""
    import numpy as np

    from nvs_jax.models.svd.unet.network import UNetSpatioTemporal
    from nvs_jax.models.weights import random_weights
    from tests.models.svd.replay import read_unet

    config = dataclasses.replace(
        read_unet()[0],
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
        block_out_channels=(32, 32),
        layers_per_block=(1, 1),
        num_attention_heads=(2, 2),
        transformer_layers_per_block=((1,), (1,)),
        cross_attention_dim=(32, 32),
    )
    rng = np.random.default_rng(1)
    weights = random_weights(UNetSpatioTemporal(config), 0)
    # Biases that are not 0 show what padding does.
    return config, {
        name: weight + 0.1 * rng.standard_normal(weight.shape, np.float32) if weight.ndim == 1 else weight
        for name, weight in weights.items()
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
