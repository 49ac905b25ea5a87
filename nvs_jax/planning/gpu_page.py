"""The kernels of programs compiled for a GPU, as a table in a Markdown page. No JAX here."""

from collections.abc import Sequence

from nvs_jax.planning.table import Entry

_SHARE = 0.02
"""Of a program's time: kinds below it are told together."""
BEGIN, END = "<!-- kernels: written by scripts/compile_gpu.py -->", "<!-- end of kernels -->"


def gpu_page(page: str, entries: Sequence[Entry]) -> str:
    r"""A page with the table between its markers: kinds of kernels of each program, the slowest first.

    >>> print(gpu_page(f"Above.\n{BEGIN}\nold\n{END}", []))
    Above.
    <!-- kernels: written by scripts/compile_gpu.py -->
    | model | program | settings | kernels | number | GB | TFLOP | ms, modelled |
    |---|---|---|---|---|---|---|---|
    <!-- end of kernels -->
    """
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    head = ["| model | program | settings | kernels | number | GB | TFLOP | ms, modelled |", "|---" * 8 + "|"]
    rows = [row for entry in entries if entry.kernels for row in _rows(entry)]
    return before + "\n".join([BEGIN, *head, *rows, END]) + after


def _rows(entry: Entry) -> list[str]:
    sums = [sum(column) for column in zip(*entry.kernels.values(), strict=True)]
    large = {kind: part for kind, part in entry.kernels.items() if part[-1] > _SHARE * sums[-1]}
    rest = [whole - sum(column) for whole, *column in zip(sums, *large.values(), strict=True)]
    return [
        f"| {entry.model} | {entry.program} | {entry.settings} | {kind} | {number:.0f} | {size / 1e9:.1f} "
        f"| {operations / 1e12:.1f} | {1e3 * seconds:.1f} |"
        for kind, (number, size, operations, seconds) in {"all": sums, **large, "the rest": rest}.items()
    ]
