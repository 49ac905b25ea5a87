"""Compares ways to divide SVD's UNet among devices: what each would compute, and what it would tell the others.

    python scripts/sharding_layouts.py                     the table of docs/sharding.md
    python scripts/sharding_layouts.py --meshes 2,4,1      one mesh (branches, frames, rows)

Programs are compiled for forced host devices and not run; the network is small, with random weights.
"""

import argparse
import os
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"

import jax
import jax.numpy as jnp
from jaxtyping import Array

from nvs_jax.models.layers import Conv
from nvs_jax.models.svd import resnet
from nvs_jax.models.svd.config import UNetConfig
from nvs_jax.models.svd.denoiser import SVDDenoiser
from nvs_jax.models.svd.unet.network import UNetSpatioTemporal
from nvs_jax.models.weights import parameter_specs
from nvs_jax.planning.collectives import Collective, collectives
from nvs_jax.sharding import constrain, make_mesh, use

MESHES = ["2,4,1", "1,8,1", "2,1,4", "1,1,8", "2,2,2"]
CONFIG = UNetConfig(
    down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
    up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
    block_out_channels=(64, 128),
    layers_per_block=(1, 1),
    num_attention_heads=(1, 2),
    transformer_layers_per_block=((1,), (1,)),
    cross_attention_dim=(64, 64),
    addition_time_embed_dim=32,
    projection_class_embeddings_input_dim=96,
)


def with_halos(block: Callable[..., Array], x: Array, *shared: Array) -> Array:
    """In place of `layout.through_time`: frames stay where they are, their neighbours are fetched."""
    return constrain(block(constrain(x, "frames"), *shared), "frames")


def compile_denoiser(frames: int, height: int, width: int) -> jax.stages.Compiled:
    """One guided estimate, compiled for the mesh in use."""

    def shape(*size: int) -> Any:
        return jax.ShapeDtypeStruct(size, jnp.float32)

    denoiser = SVDDenoiser(
        weights={name: shape(*spec.shape) for name, spec in parameter_specs(UNetSpatioTemporal(CONFIG)).items()},
        image_latent=shape(1, height, width, 4),
        embedding=shape(1, 64),
        time_ids=shape(3),
        guidance_scale=shape(frames),
        config=CONFIG,
        mixed_context=True,
    )
    estimate = jax.jit(lambda denoiser, x, sigma: constrain(denoiser(x, sigma), "replicated"))
    return estimate.lower(denoiser, shape(1, frames, height, width, 4), shape()).compile()


def line(name: str, found: list[Collective], flops: float, whole: float, devices: int) -> str:
    """A row of the table."""
    counts = Counter(collective.kind for collective in found)
    largest = max((each.size for each in found if each.kind == "all-gather"), default=0)
    kinds = ("all-to-all", "collective-permute", "all-reduce", "all-gather")
    cells = [name, *(str(counts[kind]) for kind in kinds), f"{sum(each.sent for each in found) / 2**20:.2f}"]
    return " | ".join([*cells, f"{largest / 2**20:.2f}", f"{flops / 1e9:.2f}", f"{flops * devices / whole:.2f}"])


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, nargs="+", default=[25, 14])
    parser.add_argument("--size", type=int, nargs=2, default=(24, 40), help="rows and columns of latent cells")
    parser.add_argument("--meshes", nargs="+", default=MESHES)
    parser.add_argument("--temporal", nargs="+", default=["rows", "halo", "halo-tpu"], help="convolutions through time")
    options = parser.parse_args()
    print(
        "frames, mesh, convolutions through time | all-to-all | permute | all-reduce | all-gather | sent, MiB | "
        "largest all-gather, MiB | Gflop a device | of all, against one device"
    )
    for frames in options.frames:
        whole = (compile_denoiser(frames, *options.size).cost_analysis() or {})["flops"]
        for text in options.meshes:
            branches, over_frames, rows = map(int, text.split(","))
            mesh = make_mesh(branches, over_frames, rows)
            for temporal in options.temporal:
                with ExitStack() as stack:
                    stack.enter_context(use(mesh))
                    if temporal != "rows":
                        stack.enter_context(patch.object(resnet, "through_time", with_halos))
                    if temporal == "halo-tpu":  # CPUs have another way to convolve through time
                        stack.enter_context(patch.object(Conv, "_as_product", Conv._convolve))
                    compiled = compile_denoiser(frames, *options.size)
                flops = (compiled.cost_analysis() or {})["flops"]
                name = f"{frames}, {text.replace(',', 'x')}, {temporal}"
                print(line(name, collectives(compiled.as_text() or ""), flops, whole, mesh.size), flush=True)


if __name__ == "__main__":
    main()
