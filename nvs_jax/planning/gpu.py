"""Programs compiled for an Nvidia H100 on a machine without one, by XLA's own compiler for GPUs.

The compiler is told what it would otherwise ask the card. What it cannot know without one: which of several kernels of
a library is the fastest, so that the libraries' own workspaces are not in its bytes.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any
from unittest.mock import patch

import jax

from nvs_jax.errors import InputError
from nvs_jax.models.attention import assuming_cudnn
from nvs_jax.planning.compiling import Compiled, memory_of, on
from nvs_jax.planning.programs import Model, build_program
from nvs_jax.planning.request import Program, Request

CUDNN = (9, 20, 0)
"""The version that programs are made for: newer than those whose attention is faulty."""

_GHZ = 1.98  # of the clock; that of the tensor cores is 1.83
_SCALAR = {4: (64, 1), 8: (64, 1), 10: (128, 2), 11: (128, 1), 12: (64, 1), 16: (128, 2)}
_TENSOR = {2: 1024, 6: 1024, 10: 512, 11: 256, 16: 512, **dict.fromkeys((19, 20, 23, 24, 25, 28, 29, 33, 35, 36), 1024)}


def _rates() -> str:
    """Operations a clock by XLA's number of the dtype, of the scalar units and of the tensor cores."""
    entry = "rate_infos {{ key: {} value {{ clock_rate_ghz: {} units_per_core: {} ops_per_clock: {} }} }}"
    scalar = " ".join(entry.format(kind, _GHZ, *rate) for kind, rate in _SCALAR.items())
    tensor = " ".join(entry.format(kind, 1.83, 4, rate) for kind, rate in _TENSOR.items())
    return (
        f"scalar_unit_description {{ {scalar} }} matrix_unit_description {{ {tensor} {entry.format(12, _GHZ, 4, 32)} }}"
    )


def _description() -> str:
    """An H100 SXM of 80 GB, as XLA's TargetConfig in protobuf's text form; sizes in bytes."""
    major, minor, patch_level = CUDNN
    return f"""
gpu_device_info {{
  name: "NVIDIA H100 80GB HBM3" model_str: "H100 SXM, 80 GB" device_vendor: "NVIDIA Corporation"
  cuda_compute_capability {{ major: 9 feature_extension: ACCELERATED_FEATURES }}
  core_count: 132 fpus_per_core: 128 clock_rate_ghz: {_GHZ} {_rates()}
  threads_per_warp: 32 threads_per_block_limit: 1024 threads_per_core_limit: 2048
  registers_per_block_limit: 65536 registers_per_core_limit: 65536
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  thread_dim_limit_x: 1024 thread_dim_limit_y: 1024 thread_dim_limit_z: 64
  shared_memory_per_block: {48 * 2**10} shared_memory_per_block_optin: {227 * 2**10}
  shared_memory_per_core: {228 * 2**10} l2_cache_size: {50 * 2**20}
  device_memory_size: {79 * 2**30} memory_bandwidth: 3352000000000 pcie_bandwidth: {32 * 2**30} ecc_enabled: true
  device_address_bits: 64 collective_memory_granularity: {2 * 2**20} device_interconnect_info {{ active_links: 18 }}
  driver_version: "13.0.0" runtime_version: "13.0.0" compile_time_toolkit_version: "13.0.0"
  dnn_version: "{major}.{minor}.{patch_level}"
}}
platform_name: "CUDA"
dnn_version_info {{ major: {major} minor: {minor} patch: {patch_level} }}
device_description_str: "NVIDIA H100 80GB HBM3"
"""


def can_compile_for_gpu() -> bool:
    """Whether XLA's compiler for GPUs is installed, and JAX is new enough to use it without one."""
    if find_spec("jax_plugins") is None:
        return False
    return find_spec("jax_plugins.xla_cuda13") is not None and jax.__version_info__ >= (0, 11)


def h100() -> Any:
    """An H100 that need not be there.

    Raises:
        InputError: the compiler is not installed.
    """
    if not can_compile_for_gpu():
        raise InputError(
            "XLA's compiler for GPUs is not there: pip install 'nvs-jax[gpu-compiler]', Python 3.12 or later"
        )
    os.environ["JAX_SKIP_CUDA_CONSTRAINTS_CHECK"] = "1"  # of the libraries' versions, which compiling does not need
    from jax.experimental.topologies import get_topology_desc

    return get_topology_desc(platform="cuda", target_config=_description(), topology="1x1x1").devices[0]


@contextmanager
def as_if_on_h100() -> Iterator[None]:
    """What is traced inside is for an H100: what JAX asks the card while it traces cuDNN's attention is answered."""
    major, minor, patch_level = CUDNN
    asked = "jax._src.cudnn.fused_attention_stablehlo"
    with (
        patch(f"{asked}.check_compute_capability", lambda least: tuple(map(int, least.split("."))) <= (9, 0)),
        patch(f"{asked}.is_cuda_compute_capability_equal", lambda exact: exact == "9.0"),
        patch(f"{asked}.check_cudnn_version", lambda: 10_000 * major + 100 * minor + patch_level),
        assuming_cudnn(CUDNN),
    ):
        yield


def compile_for_h100(name: Program, model: Model, request: Request) -> tuple[Compiled, str]:
    """What one of a render's programs takes on an H100, and its text; about a minute at full size.

    Raises:
        InputError: the compiler is not installed.
    """
    device = h100()
    with as_if_on_h100():
        compiled = build_program(name, model, request, on(device)).lower().compile()
    return Compiled(memory_of(compiled)), compiled.as_text() or ""
