"""Kernels of a GPU's program, told apart and counted."""

import math

from nvs_jax.planning.hlo import parse
from nvs_jax.planning.kernels import BANDWIDTH, LAUNCH, RATES, by_kind, kernels, total


def _convolution(name: str, result: str, kernel: str, window: str, labels: str) -> str:
    how = f'window={{size={window}}}, dim_labels={labels}, custom_call_target="__cudnn$convBiasActivationForward"'
    return f"%{name} = ({result}, u8[0]{{0}}) custom-call(%a, %{kernel}), {how}"


TEXT = f"""
%fused_dot (p.0: bf16[64,320], p.1: bf16[320,640]) -> bf16[64,640] {{
  %p.0 = bf16[64,320]{{1,0}} parameter(0)
  %p.1 = bf16[320,640]{{1,0}} parameter(1)
  ROOT %dot.1 = bf16[64,640]{{1,0}} dot(%p.0, %p.1), lhs_contracting_dims={{1}}, rhs_contracting_dims={{0}}
}}

%fused_gelu (p.2: bf16[64,640]) -> bf16[64,640] {{
  ROOT %erf.1 = bf16[64,640]{{1,0}} erf(%p.2)
}}

ENTRY %main (x: bf16[2,4,8,8,16]) -> bf16[2] {{
  %a = bf16[50,9,8,320]{{3,2,1,0}} parameter(0)
  %k = bf16[640,3,3,320]{{3,2,1,0}} parameter(1)
  %t = bf16[320,3,1,320]{{3,2,1,0}} parameter(2)
  %v = bf16[320,3,1,1,320]{{4,3,2,1,0}} parameter(3)
  %q = bf16[2,25,5,64]{{3,2,1,0}} parameter(4)
  %m = bf16[64,320]{{1,0}} parameter(5)
  %w = bf16[320,640]{{1,0}} parameter(6)
  {_convolution("c.1", "bf16[50,9,8,640]{3,2,1,0}", "k", "3x3 pad=1_1x1_1", "b01f_o01i->b01f")}
  {_convolution("c.2", "bf16[2,25,72,320]{3,2,1,0}", "t", "3x1 pad=1_1x0_0", "b01f_o01i->b01f")}
  {_convolution("c.3", "bf16[2,320,25,9,8]{4,3,2,1,0}", "v", "3x1x1", "bf012_o012i->bf012")}
  %f.1 = (bf16[2,5,25,64]{{3,1,2,0}}, u8[0]{{0}}) custom-call(%q, %q, %q), custom_call_target="__cudnn$fmhaSoftmax"
  %d.1 = bf16[64,640]{{1,0}} fusion(%m, %w), kind=kCustom, calls=%fused_dot
  ROOT %g.1 = bf16[64,640]{{1,0}} fusion(%d.1), kind=kLoop, calls=%fused_gelu
}}
"""


def test_kinds_bytes_and_operations():
    found = {kernel.kind: kernel for kernel in kernels(parse(TEXT))}
    spatial = found["convolution 3x3"]
    assert spatial.operations == 2 * (50 * 9 * 8 * 640) * 9 * 320
    assert spatial.bytes == 2 * (50 * 9 * 8 * 320 + 640 * 9 * 320 + 50 * 9 * 8 * 640)
    assert found["convolution through time"].operations == 2 * (2 * 25 * 72 * 320) * 3 * 320
    assert found["convolution over three axes"].operations == 2 * (2 * 25 * 72 * 320) * 3 * 320
    # 25 tokens are computed in a block of 128.
    assert found["attention of 25 tokens"].operations == 4 * 2 * 5 * 64 * 128 * 128
    assert found["product"].operations == 2 * 64 * 640 * 320
    assert found["GEGLU"].bytes == 2 * 2 * 64 * 640
    assert len(found) == 6


def test_the_model_takes_the_larger_of_memory_and_arithmetic():
    found = {kernel.kind: kernel for kernel in kernels(parse(TEXT))}
    geglu, product = found["GEGLU"], found["product"]
    assert math.isclose(geglu.seconds, geglu.bytes / BANDWIDTH + LAUNCH)
    assert product.seconds > product.operations / RATES["product"]
    slow, fast = found["convolution over three axes"], found["convolution through time"]
    assert slow.seconds > fast.seconds


def test_totals_are_of_one_step():
    found = list(kernels(parse(TEXT)))
    parts = by_kind(found, steps=2)
    assert list(parts) == sorted(parts, key=lambda kind: -parts[kind].seconds)
    assert sum(part.kernels for part in parts.values()) == total(found, 2).kernels == 3
