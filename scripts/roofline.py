"""How long a program takes at the least: what it computes and moves over what a chip can. No JAX here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nvs_jax.planning.table import Entry

BEGIN, END = "<!-- roofline: written by scripts/compile_tpu.py -->", "<!-- end of roofline -->"


@dataclass(frozen=True)
class Rates:
    """What a chip can do in a second.

    Attributes:
        flops: operations on bfloat16; products of float32 take them too, at XLA's default precision.
        memory: bytes read from or written to HBM.
        links: bytes to the other chips, all links together.
    """

    flops: float
    memory: float
    links: float


# As published by the maker: TFLOP/s in bfloat16, GB/s of HBM, and Gbit/s of the links between chips.
RATES = {
    "v5e": Rates(197e12, 819e9, 1600e9 / 8),
    "v6e": Rates(918e12, 1640e9, 3584e9 / 8),
    "v5p": Rates(459e12, 2765e9, 4800e9 / 8),
    "v4": Rates(275e12, 1228e9, 2400e9 / 8),
}


@dataclass(frozen=True)
class Roofline:
    """Seconds of a sampler step, or of another whole program.

    Attributes:
        compute: of all operations.
        memory: of all that is moved to and from HBM.
        links: of all that is sent to other chips.
    """

    compute: float
    memory: float
    links: float

    @property
    def total(self) -> float:
        """Computing and reading go on at once; layers wait for what other chips send.

        >>> Roofline(compute=3.0, memory=2.0, links=1.0).total
        4.0
        """
        return max(self.compute, self.memory) + self.links


def roofline(entry: Entry) -> Roofline:
    """At the published rates of its chip, from counted work; sent bytes are the compiled program's, if known."""
    rates = RATES[entry.chip]
    sent = sum(size for _, size in entry.collectives.values()) if entry.collectives else entry.exchanged
    return Roofline(
        compute=(entry.products + entry.attention) / rates.flops,
        memory=(entry.weights_read + entry.activations) / rates.memory,
        links=sent / rates.links,
    )


def roofline_line(entry: Entry) -> str:
    """For people."""
    times = roofline(entry)
    return (
        f"{(entry.products + entry.attention) / 1e12:.2f} TFLOP, "
        f"{(entry.weights_read + entry.activations) / 1e9:.2f} GB, {times.compute * 1e3:.1f} ms computing, "
        f"{times.memory * 1e3:.1f} ms of HBM, {times.links * 1e3:.1f} ms of links: {times.total * 1e3:.1f} ms"
    )


def roofline_page(page: str, entries: Sequence[Entry]) -> str:
    """A Markdown page with the table between its markers; entries without counts are left out."""
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    titles = (
        "chips | mesh | program | settings | TFLOP | of attention | HBM, GB | collectives | sent, GB | "
        "computing, ms | HBM, ms | links, ms | in all, ms | XLA: TFLOP | XLA: GB"
    )
    head = [f"| {titles} |", "|---" * 15 + "|"]
    return before + "\n".join([BEGIN, *head, *_rows(entries), END]) + after


def _rows(entries: Iterable[Entry]) -> list[str]:
    return [_row(entry) for entry in entries if entry.products]


def _row(entry: Entry) -> str:
    times = roofline(entry)
    kinds = ", ".join(f"{count:g} {kind} ({size / 1e6:.1f} MB)" for kind, (count, size) in entry.collectives.items())
    estimated = f"about {entry.exchanges:g} all-to-all" if entry.exchanges and not kinds else "none"
    raw = (f"{entry.xla_flops / 1e12:.2f}", f"{entry.accessed / 1e9:.1f}") if entry.accessed else ("", "")
    columns = (
        f"{entry.chip}:{entry.chips}",
        entry.mesh,
        entry.program,
        entry.settings,
        f"{(entry.products + entry.attention) / 1e12:.2f}",
        f"{entry.attention / 1e12:.2f}",
        f"{(entry.weights_read + entry.activations) / 1e9:.1f}",
        kinds or estimated,
        f"{times.links * RATES[entry.chip].links / 1e9:.2f}",
        *(f"{1e3 * seconds:.1f}" for seconds in (times.compute, times.memory, times.links, times.total)),
        *raw,
    )
    return f"| {' | '.join(columns)} |"
