"""Tables of how long programs take at the least, for docs/memory.md. No JAX here."""

from collections.abc import Iterable, Sequence

from nvs_jax.planning.roofline import RATES, roofline
from nvs_jax.planning.table import Entry

BEGIN, END = "<!-- roofline: written by scripts/compile_tpu.py -->", "<!-- end of roofline -->"


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
        "model | chips | mesh | program | settings | TFLOP | of attention | HBM, GB | collectives | sent, GB | "
        "computing, ms | HBM, ms | links, ms | in all, ms | XLA: TFLOP | XLA: GB"
    )
    head = [f"| {titles} |", "|---" * 16 + "|"]
    return before + "\n".join([BEGIN, *head, *_rows(entries), END]) + after


def _rows(entries: Iterable[Entry]) -> list[str]:
    return [_row(entry) for entry in entries if entry.products]


def _row(entry: Entry) -> str:
    times = roofline(entry)
    kinds = ", ".join(f"{count:g} {kind} ({size / 1e6:.1f} MB)" for kind, (count, size) in entry.collectives.items())
    estimated = f"about {entry.exchanges:g} all-to-all" if entry.exchanges and not kinds else "none"
    raw = (f"{entry.xla_flops / 1e12:.2f}", f"{entry.accessed / 1e9:.1f}") if entry.accessed else ("", "")
    columns = (
        entry.model,
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
