"""What devices tell each other in a program, read from its compiled text."""

import math
import re
from typing import NamedTuple

_KINDS = "all-to-all|all-gather|all-reduce|reduce-scatter|collective-permute"
_OPERATION = re.compile(rf"^\s*(?:ROOT )?%\S+ = (.*?) ({_KINDS})(-start)?\(.*$", re.MULTILINE)
_ARRAY = re.compile(r"\b(pred|[a-z]+(\d+))\w*\[([\d,]*)\]")


class Collective(NamedTuple):
    """One operation.

    Attributes:
        kind: as XLA names it.
        size: bytes of its result on one device.
        devices: how many take part in each group.
    """

    kind: str
    size: int
    devices: int

    @property
    def sent(self) -> int:
        """Bytes that each device sends, at least: rings for reductions and gathers, direct for the rest."""
        share = (self.devices - 1) / self.devices
        factor = {"all-reduce": 2 * share, "reduce-scatter": self.devices - 1, "collective-permute": 1}
        return round(self.size * factor.get(self.kind, share))


def collectives(text: str) -> list[Collective]:
    """Every collective operation of a compiled program (`compiled.as_text()`), what is in a loop once.

    >>> collectives("  %x = f32[1,28,8]{2,1,0} all-gather(%y), replica_groups=[2,4]<=[8], dimensions={1}")
    [Collective(kind='all-gather', size=896, devices=4)]

    Raises:
        ValueError: a notation that this does not know.
    """
    found = []
    for match in _OPERATION.finditer(text):
        result, kind, asynchronous = match.groups()
        arrays = [_bytes(*array.groups()) for array in _ARRAY.finditer(result)]
        # What starts an asynchronous one has its operands and its results, and perhaps counters.
        size = max(arrays) if asynchronous else sum(arrays)
        found.append(Collective(kind, size, _group(match.group())))
    return found


def _bytes(kind: str, bits: str | None, shape: str) -> int:
    width = 1 if kind == "pred" or bits is None else math.ceil(int(bits) / 8)
    return width * math.prod(int(side) for side in shape.split(",") if side)


def _group(line: str) -> int:
    """How many devices a group has, in whichever of XLA's notations."""
    if named := re.search(r"replica_groups=mesh\[(.*?)\][^{]*\{(.*?)\}", line):
        sizes = dict(re.findall(r"'(\w+)'=(\d+)", named[1]))
        return math.prod(int(sizes[axis]) for axis in re.findall(r"'(\w+)'", named[2]))
    if rows := re.search(r"replica_groups=\[(\d+),(\d+)\]", line):
        return int(rows[2])
    if listed := re.search(r"replica_groups=\{\{([\d,]*)\}", line):
        return len(listed[1].split(","))
    if "source_target_pairs" in line:
        return 2
    raise ValueError(f"no groups of devices in: {line}")
