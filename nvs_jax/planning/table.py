"""What the compilers for TPUs and GPUs said of full-size programs, as a table that is shipped. No JAX here."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nvs_jax.disk import atomic_path
from nvs_jax.planning.devices import BYTES, GIB

SHIPPED = Path(__file__).with_name("measured.json")
BEGIN, END = "<!-- table: written by scripts/compile_tpu.py -->", "<!-- end of table -->"


@dataclass(frozen=True)
class Entry:
    """One program, compiled for one chip. Bytes as in `nvs_jax.planning.compiling.Memory`.

    Attributes:
        chip: "v5e", "v6e", "v5p" or "h100".
        program: see `nvs_jax.planning.request.Program`.
        settings: see `Request.settings`.
        frames: of the video.
        height: rows of pixels.
        width: columns of pixels.
        at_once: see `Request.at_once`.
        arguments: weights and data.
        outputs: results.
        temporary: everything between.
        reused: of the results, what takes the place of arguments.
        chips: how many share the work; bytes and what follows are of one of them.
        mesh: how they do: parts of the branches, of the frames and of the rows.
        products: operations of a sampler step, or of another program; see `nvs_jax.planning.work.Work`. 0: not counted.
        attention: as there.
        weights_read: bytes, as there.
        activations: bytes, as there.
        exchanges: as there.
        exchanged: bytes, as there.
        collectives: number of operations, and bytes sent, of a step or program by kind, from the compiled program.
        accessed: bytes as the compiler counts them, of the whole program, what is in loops once. It also counts what
            never leaves the chip's own memory. 0: unknown.
        xla_flops: operations as the compiler counts them, what is in loops once; meaningless with kernels.
        model: whose program it is, as in configs/models; SVD and SVD-XT share theirs.
        attention_grows: of a program that samples, the power of a video's length with which the operations of attention
            grow: 1 where only tokens of a frame, or of a place, see each other, near 2 where all of a video do.
        kernels: of a program for a GPU, of a step or program by kind: how many, the bytes they move, their operations,
            and the seconds they take by the model of `nvs_jax.planning.kernels`.
    """

    chip: str
    program: str
    settings: str
    frames: int
    height: int
    width: int
    at_once: int
    arguments: int
    outputs: int
    temporary: int
    reused: int
    chips: int = 1
    mesh: str = "1x1x1"
    products: float = 0
    attention: float = 0
    weights_read: float = 0
    activations: float = 0
    exchanges: float = 0
    exchanged: float = 0
    collectives: dict[str, list[float]] = field(default_factory=dict)
    accessed: float = 0
    xla_flops: float = 0
    kernels: dict[str, list[float]] = field(default_factory=dict)
    model: str = "svd_xt"
    attention_grows: float = 1.0

    @property
    def total(self) -> int:
        """Bytes while it runs."""
        return self.arguments + self.outputs + self.temporary - self.reused

    @property
    def fits(self) -> bool:
        """Whether one chip has as much."""
        return self.total <= BYTES[self.chip]

    def key(self) -> tuple[object, ...]:
        """What is compiled; a later entry of the same key replaces an earlier one."""
        sizes = self.frames, self.height, self.width
        return self.model, self.chip, self.program, self.settings, *sizes, self.chips, self.mesh

    def line(self) -> str:
        parts = {"arguments": self.arguments, "outputs": self.outputs, "temporary": self.temporary}
        said = ", ".join(f"{name} {size / GIB:.2f}" for name, size in parts.items())
        return f"{said}, in all {self.total / GIB:.2f} GiB a chip ({'fits' if self.fits else 'does not fit'})"


def read_table(path: Path = SHIPPED) -> list[Entry]:
    """The entries of a table; none if there is no file yet."""
    return [Entry(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))] if path.is_file() else []


def add_entry(path: Path, entry: Entry) -> list[Entry]:
    """Put an entry into a table on disk, in place of an earlier one of the same program; all that it now holds."""
    entries = sorted([*(other for other in read_table(path) if other.key() != entry.key()), entry], key=Entry.key)
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps([asdict(one) for one in entries], indent=1) + "\n", encoding="utf-8")
    return entries


def table_page(page: str, entries: Sequence[Entry]) -> str:
    r"""A Markdown page with the table between its markers.

    >>> print(table_page(f"Above.\n{BEGIN}\nold\n{END}", []))
    Above.
    <!-- table: written by scripts/compile_tpu.py -->
    | model | chip | program | settings | frames, size | arguments | outputs | temporary | in all | fits |
    |---|---|---|---|---|---|---|---|---|---|
    <!-- end of table -->
    """
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    titles = "model | chip | program | settings | frames, size | arguments | outputs | temporary | in all | fits"
    head = [f"| {titles} |", "|---" * 10 + "|"]
    return before + "\n".join([BEGIN, *head, *_rows(entries), END]) + after


def _rows(entries: Iterable[Entry]) -> list[str]:
    return [
        f"| {entry.model} | {entry.chip}:{entry.chips} | {entry.program} | {entry.settings} "
        f"| {entry.frames}, {entry.height}x{entry.width} | "
        + " | ".join(f"{size / GIB:.2f}" for size in (entry.arguments, entry.outputs, entry.temporary, entry.total))
        + f" | {'yes' if entry.fits else 'no'} |"
        for entry in entries
    ]
