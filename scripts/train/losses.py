"""The losses of a run: a CSV and a plot."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from jaxtyping import Float

from nvs_jax.disk import atomic_path


class LossLog:
    """A CSV that never says more than the checkpoint it will be resumed from, once `cut`."""

    def __init__(self, path: Path):
        self.path = path
        self.last = 0

    def cut(self, step: int) -> None:
        """Forget what came after `step`."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        kept = [line for line in lines if line.count(",") == 3 and int(line.split(",")[0]) <= step]
        with atomic_path(self.path) as partial:
            partial.write_text("".join(f"{line}\n" for line in kept))
        self.last = step

    def add(self, step: int, loss: float, seconds: float, held_out: Any) -> None:
        """Add a step; `held_out` is None where that was not measured."""
        self.last = step
        with self.path.open("a") as file:
            file.write(f"{step},{loss:.8g},{seconds:.2f},{'' if held_out is None else f'{float(held_out):.8g}'}\n")

    def seconds(self) -> float:
        """What the last row says; 0 if there is none."""
        rows = self.path.read_text().splitlines() if self.path.exists() else []
        return max((float(row.split(",")[2]) for row in rows if row.count(",") == 3), default=0.0)

    def add_held_out(self, loss: float, seconds: float) -> None:
        """Add what was measured after the last step, in a row without a loss of its own."""
        with self.path.open("a") as file:
            file.write(f"{self.last},,{seconds:.2f},{loss:.8g}\n")

    def read(self) -> Float[np.ndarray, "n 4"]:
        """Step, loss, seconds, loss on held-out data of every row; NaN where it was not measured."""
        rows = [line.split(",") for line in self.path.read_text().splitlines()]
        return np.array([[float(value) if value else np.nan for value in row] for row in rows]).reshape(-1, 4)


def plot_losses(path: Path, log: Float[np.ndarray, "n 4"]) -> None:
    """The loss of every step, smoothed, and that on the held-out clips."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    made = np.isfinite(log[:, 1])
    losses, held_out = log[made, 1], log[:, 3]
    width = max(1, len(losses) // 50)
    smooth = np.convolve(losses, np.full(width, 1 / width), mode="valid")
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    axes.semilogy(log[made, 0][width - 1 :], smooth, label=f"training, mean of {width} steps")
    measured = np.isfinite(held_out)
    axes.semilogy(log[measured, 0], held_out[measured], "o-", label="held-out clips")
    axes.set(xlabel="step", ylabel="loss")
    axes.legend()
    with atomic_path(path) as partial:
        figure.savefig(partial, format="png", dpi=100)
    pyplot.close(figure)
