"""What a program becomes on a GPU: its kernels by kind, what they move and compute, and a model of how long that takes.

The rates are assumptions, not measurements: what published benchmarks of such kernels reach on an H100. What a kernel
takes is the larger of bytes over bandwidth and operations over the rate of its kind.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nvs_jax.planning.hlo import Computation, Instruction, Module, shapes, size_in_bytes

BANDWIDTH = 2.6e12
"""Bytes a second that an H100's memory gives such kernels, of 3.35e12."""
LAUNCH = 2e-6
"""Seconds between two kernels."""
RATES = {
    "convolution": 520e12,
    "convolution through time": 420e12,
    "convolution over three axes": 150e12,
    "product": 600e12,
    "attention": 412e12,
}
"""Operations a second in bfloat16; in float32, which products of a GPU round to TF32, half."""
_ATTENTION_BLOCK = 128
"""Rows and columns of scores that cuDNN's kernel computes at least."""

_FREE = frozenset({"parameter", "get-tuple-element", "bitcast", "tuple", "constant", "after-all", "fusion-done"})


@dataclass(frozen=True)
class Kernel:
    """One kernel, or a call of a library.

    Attributes:
        kind: what it does.
        times: how often it runs in the program.
        bytes: that it reads and writes.
        operations: in products, two a multiplication and addition.
        shape: of its result.
        wide: whether it computes on float32.
        name: of the instruction in the program, as profilers call it.
    """

    kind: str
    times: int
    bytes: int
    operations: float
    shape: tuple[int, ...]
    wide: bool = False
    name: str = ""

    @property
    def seconds(self) -> float:
        """By the model, each time."""
        rate = next((rate for kind, rate in reversed(RATES.items()) if self.kind.startswith(kind)), math.inf)
        rate /= 1 + self.wide
        return max(self.bytes / BANDWIDTH, self.operations / rate) + LAUNCH


@dataclass(frozen=True)
class Total:
    """Of all kernels of one kind, or of a program."""

    kernels: float = 0
    bytes: float = 0
    operations: float = 0
    seconds: float = 0


def kernels(module: Module) -> Iterator[Kernel]:
    """Every kernel of a program, with what it reads and writes by the shapes of its operands."""
    for instruction, computation, times in module.executed():
        if instruction.opcode in _FREE:
            continue
        types = {other.name: other.type for other in computation}
        operands = [types[name] for name in instruction.operands if name in types]
        moved = size_in_bytes(instruction.type)
        if instruction.opcode != "fusion-start":  # whose type names what it reads, too
            moved += sum(size_in_bytes(kind) for kind in operands)
        kind, operations = _work(instruction, operands, module)
        shape = shapes(instruction.type)[0] if shapes(instruction.type) else ()
        wide = bool(operands) and operands[0].startswith("f32")
        yield Kernel(kind, times, moved, operations, shape, wide, instruction.name)


def by_kind(found: Sequence[Kernel], steps: int = 1) -> dict[str, Total]:
    """Totals of one of so many steps, the slowest kind first."""
    groups: dict[str, list[Kernel]] = defaultdict(list)
    for kernel in found:
        groups[kernel.kind].append(kernel)
    totals = {kind: total(group, steps) for kind, group in groups.items()}
    return dict(sorted(totals.items(), key=lambda item: -item[1].seconds))


def total(found: Sequence[Kernel], steps: int = 1) -> Total:
    """Of several kernels, in one of so many steps."""
    return Total(
        kernels=sum(kernel.times for kernel in found) / steps,
        bytes=sum(kernel.times * kernel.bytes for kernel in found) / steps,
        operations=sum(kernel.times * kernel.operations for kernel in found) / steps,
        seconds=sum(kernel.times * kernel.seconds for kernel in found) / steps,
    )


def _work(instruction: Instruction, operands: Sequence[str], module: Module) -> tuple[str, float]:
    """The kind of a kernel, and its operations in products."""
    target = instruction.target
    if "conv" in target or instruction.opcode == "convolution":
        return _convolution(instruction, operands)
    if "fmha" in target:
        return _attention(operands)
    if "cublas" in target:
        (first, *_), result = shapes(operands[0]), shapes(instruction.type)[0]
        return "product", 2.0 * math.prod(result) * first[-1]
    if instruction.opcode not in ("fusion", "fusion-start"):
        return instruction.opcode, 0.0
    inside = module.called(instruction)
    operations = _products(inside, module)
    if operations > 0:
        return "product", operations
    return _elementwise({each.opcode for each in inside}), 0.0


def _convolution(instruction: Instruction, operands: Sequence[str]) -> tuple[str, float]:
    """From labels such as b01f_o01i->b01f: the axes of picture, filter and result."""
    labels = instruction.attribute(r"dim_labels=\w+_(\w+)->")
    window = instruction.attribute(r"size=([\dx]+)").split("x")
    result, kernel = shapes(instruction.type)[0], shapes(operands[1])[0]
    operations = 2.0 * math.prod(result) * math.prod(kernel) / kernel[labels.index("o")]
    if len(window) == 3:
        return "convolution over three axes", operations
    if len(window) == 2 and (window[0] == "1") != (window[1] == "1"):
        return "convolution through time", operations
    return f"convolution {'x'.join(window)}", operations


def _attention(operands: Sequence[str]) -> tuple[str, float]:
    (batch, length, heads, width), keys = shapes(operands[0])[0], shapes(operands[1])[0][1]
    computed = [-(-size // _ATTENTION_BLOCK) * _ATTENTION_BLOCK for size in (length, keys)]
    return f"attention of {length} tokens", 4.0 * batch * heads * width * math.prod(computed)


def _products(computation: Computation, module: Module) -> float:
    """Operations of the matrix products inside a fusion."""
    types = {each.name: each.type for each in computation}
    operations = 0.0
    for each in computation:
        operations += _products(module.called(each), module)
        if each.opcode == "dot":
            contracted = each.attribute(r"lhs_contracting_dims=\{([\d,]*)\}")
            left = shapes(types[each.operands[0]])[0]
            operations += 2.0 * math.prod(each.shape) * math.prod(left[int(axis)] for axis in contracted.split(","))
    return operations


def _elementwise(opcodes: set[str]) -> str:
    """What a fusion without products is, by what is in it."""
    if "erf" in opcodes:
        return "GEGLU"
    if "reduce" in opcodes:
        return "statistics of norms, softmax" if "exponential" not in opcodes else "softmax"
    if opcodes & {"logistic", "exponential", "rsqrt"}:
        return "norm, SiLU"
    for moved in ("concatenate", "transpose"):
        if moved in opcodes:
            return moved
    return "additions, blends, broadcasts"
