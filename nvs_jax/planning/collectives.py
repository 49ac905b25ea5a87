"""What devices tell each other in a program, read from its compiled text."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

_KINDS = "all-to-all|all-gather|all-reduce|reduce-scatter|collective-permute"
_OPERATION = re.compile(rf"^\s*(?:ROOT )?%\S+ = (.*?) ({_KINDS})(-start)?\(.*$", re.MULTILINE)
_COMPUTATION = re.compile(r"^(ENTRY )?%?(\S+) \(.*\{$")
_CALLED = re.compile(r"\b(?:condition|calls|to_apply|true_computation|false_computation)=%?([^\s,)}]+)")
_BRANCHES = re.compile(r"\b(?:branch_computations|called_computations)=\{(.*?)\}")
_BODY = re.compile(r"\bcondition=%?([^\s,]+), body=%?([^\s,]+)")
_TRIPS = re.compile(r"known_trip_count\W+n\W+(\d+)")
_CONSTANT = re.compile(r"= [su]\d+\[\]\S* constant\((\d+)\)")
_CHANNEL = re.compile(r"\bchannel_id=\d+")
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


def executed(text: str) -> list[tuple[Collective, int]]:
    """The same, each with how often one run of the program executes it.

    What is in a loop is executed as often as the compiler says that the loop turns, or the only number in its
    condition; once, if neither is there.
    """
    bodies = dict(_computations(text))
    times: defaultdict[str, int] = defaultdict(int)
    times[next(reversed(bodies))] = 1
    # What is called stands above what calls it, and the program's entry last or marked.
    for name, lines in reversed(bodies.items()):
        for called, turns in _calls(lines, bodies):
            times[called] += turns * times[name]
    seen: set[str] = set()
    return [
        (each, times[name]) for name, lines in bodies.items() for each in collectives("\n".join(_unspread(lines, seen)))
    ]


def _unspread(lines: list[str], seen: set[str]) -> Iterator[str]:
    """Lines without the further parts of a collective that the compiler spreads over the fusions beside it: each of
    those has all of it, under one channel."""
    for line in lines:
        channel = _CHANNEL.search(line) if "async_collective_fusion" in line else None
        if channel is None or channel[0] not in seen:
            yield line
        if channel is not None:
            seen.add(channel[0])


def _computations(text: str) -> Iterator[tuple[str, list[str]]]:
    """Names and lines, the entry last."""
    entry, name, lines = None, None, []
    for line in text.splitlines():
        if head := _COMPUTATION.match(line):
            name, lines = head[2], []
            if head[1]:
                entry = (name, lines)
            else:
                yield name, lines
        elif name is not None:
            lines.append(line)
    if entry is None:
        raise ValueError("a program without an entry")
    yield entry


def _calls(lines: list[str], bodies: dict[str, list[str]]) -> Iterator[tuple[str, int]]:
    for line in lines:
        if "-done(" in line or "-update(" in line:
            continue  # what has been started is called once
        if loop := _BODY.search(line):
            constants = [found[1] for each in bodies.get(loop[1], []) if (found := _CONSTANT.search(each))]
            known = _TRIPS.search(line)
            turns = int(known[1]) if known else int(constants[0]) if len(constants) == 1 else 1
            yield loop[2], turns
            continue
        for called in _CALLED.finditer(line):
            yield called[1], 1
        for several in _BRANCHES.finditer(line):
            for called in several[1].split(","):
                yield called.strip().lstrip("%"), 1


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
