"""A compiled program's text (HLO) as instructions: enough of it to see what becomes a kernel and what that moves."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_BYTES = {
    **dict.fromkeys(("pred", "s8", "u8", "f8e4m3fn", "f8e5m2"), 1),
    **dict.fromkeys(("bf16", "f16", "s16", "u16"), 2),
    **dict.fromkeys(("f32", "s32", "u32"), 4),
    **dict.fromkeys(("f64", "s64", "u64"), 8),
}
_ARRAY = re.compile(rf"\b({'|'.join(_BYTES)})\[([\d,]*)\]")
_COMPUTATION = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*?\{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
_INSTRUCTION = re.compile(r"\s*(?:ROOT )?%?([\w.\-]+) = (\(.*?\)|\S+) ([a-z][\w\-]*)\((.*?)\)(.*)")
_COMMENT = re.compile(r"/\*.*?\*/")
_OPERAND = re.compile(r"%?([\w.\-]+)\s*(?:,|$)")


@dataclass(frozen=True)
class Instruction:
    """One line of a program.

    Attributes:
        name: of its result.
        type: of its result, with layout.
        opcode: what is done.
        operands: names of what it is done to.
        attributes: all that follows.
    """

    name: str
    type: str
    opcode: str
    operands: tuple[str, ...]
    attributes: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the result, or of the first of several."""
        return shapes(self.type)[0]

    @property
    def target(self) -> str:
        """The library function that a custom call calls; empty for others."""
        found = re.search(r'custom_call_target="([^"]+)"', self.attributes)
        return "" if found is None else found[1]

    def attribute(self, pattern: str) -> str:
        """The first group of a pattern in the attributes; empty where it is not."""
        found = re.search(pattern, self.attributes)
        return "" if found is None else found[1]


Computation = tuple[Instruction, ...]


@dataclass(frozen=True)
class Module:
    """A program: its computations by name, and which of them it begins with."""

    computations: Mapping[str, Computation]
    entry: str

    def called(self, instruction: Instruction) -> Computation:
        """What a fusion consists of, or a call calls."""
        return self.computations.get(instruction.attribute(r"(?:calls|to_apply)=%?([\w.\-]+)"), ())

    def executed(self, name: str | None = None, times: int = 1) -> Iterator[tuple[Instruction, Computation, int]]:
        """Every instruction that is run, the computation it stands in, and how often; of branches the longest.

        Args:
            name: of the computation to begin with; None for the program's own.
            times: how often that is run.
        """
        computation = self.computations[self.entry if name is None else name]
        for instruction in computation:
            match instruction.opcode:
                case "while":
                    turns = int(instruction.attribute(r'"known_trip_count":\{"n":"(\d+)"') or 1)
                    yield from self.executed(instruction.attribute(r"body=%?([\w.\-]+)"), times * turns)
                case "conditional":
                    branches = re.findall(r"%([\w.\-]+)", instruction.attribute(r"branch_computations=\{(.*?)\}"))
                    yield from self.executed(max(branches, key=lambda b: len(self.computations[b])), times)
                case "call":
                    yield from self.executed(instruction.attribute(r"to_apply=%?([\w.\-]+)"), times)
                case _:
                    yield instruction, computation, times


def parse(text: str) -> Module:
    r"""A program from its text.

    >>> module = parse("ENTRY %main (x: f32[2]) -> f32[2] {\n  ROOT %y.1 = f32[2]{0} negate(%x), metadata={}\n}\n")
    >>> module.computations[module.entry][0].opcode
    'negate'

    Raises:
        ValueError: there is none in it.
    """
    computations, entry = {}, None
    for first, name, body in _COMPUTATION.findall(text):
        computations[name] = tuple(_instructions(body))
        entry = name if first else entry
    if entry is None:
        raise ValueError("no program in this text: it has no ENTRY")
    return Module(computations, entry)


def _instructions(body: str) -> Iterator[Instruction]:
    for line in body.splitlines():
        found = _INSTRUCTION.match(_COMMENT.sub("", line))
        if found:
            name, kind, opcode, operands, attributes = found.groups()
            yield Instruction(name, kind, opcode, tuple(_OPERAND.findall(operands)), attributes)


def shapes(kind: str) -> list[tuple[int, ...]]:
    """Shapes of the arrays in a type.

    >>> shapes("(bf16[2,3]{1,0}, f32[])")
    [(2, 3), ()]
    """
    return [tuple(int(size) for size in sizes.split(",") if size) for _, sizes in _ARRAY.findall(kind)]


def size_in_bytes(kind: str) -> int:
    """Of all arrays in a type.

    >>> size_in_bytes("(bf16[2,3]{1,0}, f32[])")
    16
    """
    arrays = _ARRAY.findall(kind)
    return sum(_BYTES[dtype] * math.prod(int(size) for size in sizes.split(",") if size) for dtype, sizes in arrays)
