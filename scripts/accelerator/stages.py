"""The stages of a benchmark, the flags they may run under. No JAX and no PyTorch here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from nvs_jax.errors import InputError

Side = Literal["jax", "torch"]
Variant = Literal["fast", "default", "cublas", "untuned", "nhwc"]

VARIANTS: dict[Variant, tuple[str, ...]] = {
    # Products by cublasLt alone, and fusions as XLA's rules have them: little to tune, so that compiling is quick.
    "fast": ("--xla_gpu_enable_triton_gemm=false", "--xla_gpu_experimental_enable_fusion_autotuner=false"),
    "default": (),
    "cublas": ("--xla_gpu_enable_triton_gemm=false",),
    "untuned": ("--xla_gpu_autotune_level=0",),
    "nhwc": (
        "--xla_gpu_enable_triton_gemm=false",
        "--xla_gpu_experimental_enable_fusion_autotuner=false",
        "--xla_gpu_force_conv_nhwc=true",
    ),
}
"""Flags for XLA on Nvidia GPUs; elsewhere none are given."""
NO_GRAPHS = "--xla_gpu_enable_command_buffer="
"""Kernels launched one by one: a profile of CUDA graphs knows no names."""


@dataclass(frozen=True)
class Stage:
    """A part of the benchmark.

    Attributes:
        name: for the command line.
        side: whose.
        box: seconds that it may take; then it is killed.
        function: "module:function" of a size, which yields rows.
        yields: what it finds out.
        process: stages of the same one share a child, one after the other; "": a child of its own.
        default_flags: whether XLA is left at its defaults whatever the variant.
        flags: for XLA on Nvidia GPUs, besides the variant's.
    """

    name: str
    side: Side
    box: float
    function: str
    yields: str
    process: str = ""
    default_flags: bool = False
    flags: tuple[str, ...] = ()


def _stage(name: str, side: Side, box: float, function: str, yields: str, **others: Any) -> Stage:
    return Stage(name, side, box, f"scripts.accelerator.{function}", yields, **others)


STAGES: tuple[Stage, ...] = (
    _stage("ceilings", "jax", 25, "ceilings:ceilings", "bytes a second of a copy, operations a second of a product"),
    _stage("numerics", "jax", 60, "numerics:numerics", "differences from float32 on a CPU, attention, the solver"),
    _stage("blocks", "jax", 75, "blocks:blocks", "parts of the UNet at its finest level, in several ways"),
    _stage("dgs", "jax", 150, "sampling:dgs", "a step of DGS, as the pipeline makes it"),
    _stage("profile", "jax", 75, "profile:profile", "its kernels by kind and by time", flags=(NO_GRAPHS,)),
    _stage("vae", "jax", 90, "renders:vae", "encoding; decoding in float32 and in bfloat16"),
    _stage("end-to-end", "jax", 150, "renders:end_to_end", "a render of DGS from conditions to frames"),
    _stage("post", "jax", 120, "sampling:post", "a step of Post"),
    _stage("modes", "jax", 240, "modes:modes", "renders of the embedded model in every mode against a CPU's"),
    _stage("wan-t2v", "jax", 90, "families:wan_t2v", "a step of Wan2.1 T2V-1.3B, 81 frames of 480x832"),
    _stage("wan-vae", "jax", 150, "families:wan_vae", "Wan2.1's VAE: encoding and decoding 81 frames"),
    _stage("wan-vace", "jax", 100, "families:wan_vace", "a step of Wan2.1 VACE-1.3B"),
    _stage("wan-ti2v", "jax", 100, "families:wan_ti2v", "a step of Wan2.2 TI2V-5B, 121 frames of 704x1280"),
    _stage("wan-i2v", "jax", 200, "families:wan_i2v", "a step of Wan2.1 I2V-14B"),
    _stage("dgs-default", "jax", 240, "sampling:dgs", "a step of DGS with XLA's default flags", default_flags=True),
    _stage("torch-eager", "torch", 60, "torch_side:eager", "diffusers' UNet in PyTorch, both branches"),
    _stage("torch-compile", "torch", 200, "torch_side:compiled", "the same compiled, and the release's step of DGS"),
    _stage("torch-wan-t2v", "torch", 120, "torch_families:wan_t2v", "diffusers' transformer of Wan2.1 T2V-1.3B"),
    _stage("torch-wan-vae", "torch", 100, "torch_families:wan_vae", "diffusers' VAE of Wan2.1"),
)


def chosen(
    side: Literal["jax", "torch", "both"], names: Sequence[str] = (), stages: Sequence[Stage] = STAGES
) -> list[Stage]:
    """The stages of a side, or those of them that are named, in their order.

    Raises:
        InputError: a name that no stage of this side has.
    """
    of_side = [stage for stage in stages if side in (stage.side, "both")]
    known = [stage.name for stage in of_side]
    for name in names:
        if name not in known:
            raise InputError(f"there is no stage {name} on this side: choose from {', '.join(known)}")
    return [stage for stage in of_side if not names or stage.name in names]


def quickly(stages: Sequence[Stage], box: float) -> list[Stage]:
    """The same with another box for each, without flags of their own, in few processes: starting them takes longest."""
    return [
        replace(stage, box=box, process=f"{stage.side}{'-default' if stage.default_flags else ''}", flags=())
        for stage in stages
    ]


def processes(stages: Sequence[Stage]) -> list[list[Stage]]:
    """Stages by the child that runs them.

    >>> [[stage.name for stage in group] for group in processes(quickly(STAGES[-6:-2], 9))]
    [['wan-i2v'], ['dgs-default'], ['torch-eager', 'torch-compile']]
    """
    groups: list[list[Stage]] = []
    for stage in stages:
        if groups and stage.process and groups[-1][0].process == stage.process:
            groups[-1].append(stage)
        else:
            groups.append([stage])
    return groups
