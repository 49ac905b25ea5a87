"""The table of solvers in docs/guidance.md: `python -m scripts.solver_orders` measures it.

Orders are measured on data that is Gaussian, whose probability-flow ODE has a known solution, in float64, between 256
and 512 steps from sigma = 700 to 0.3, without the noise of stochastic solvers. Estimates are counted in a run.
"""

from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from nvs_jax.diffusion import Solver, Unguided, closed_form_trust, exponential_sigmas, make_solver, sample
from nvs_jax.diffusion.counting import estimates_in
from nvs_jax.evaluation.report import markdown_table
from nvs_jax.settings import SolverSettings, registry
from scripts.documentation import write_results
from tests.diffusion.toys import GaussianDenoiser

_STEPS = 256, 512
_FIRST, _LAST = 700.0, 0.3


@dataclass(frozen=True)
class Arguments:
    """Where the table goes."""

    docs: Path = Path("docs")
    """The folder with guidance.md."""


def measured_order(solver: Solver) -> float:
    """log2 of the ratio of errors, between runs of which one has twice the steps."""
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        mean, noise = (jnp.asarray(rng.standard_normal((1, 1, 2, 2, 1))) for _ in range(2))
        denoiser, trust, errors = GaussianDenoiser(mean), closed_form_trust(jnp.zeros(1), _FIRST), []
        for steps in _STEPS:
            sigmas = jnp.asarray(exponential_sigmas(steps, _FIRST, _LAST)[:-1], jnp.float64)
            x = sample(denoiser, Unguided(), trust, noise, sigmas, solver)
            exact = denoiser.solution(noise * jnp.sqrt(sigmas[0] ** 2 + 1), sigmas[0], sigmas[-1])
            errors.append(float(jnp.abs(x - exact).max()))
    return float(np.log2(errors[0] / errors[1]))


def table() -> list[str]:
    """A row a solver of this package."""
    rows = []
    for name, choice in registry.solvers().items():
        if choice.entry is None:
            solver = make_solver(SolverSettings(name, churn=0.0), _STEPS[0])
            fewer, more = (estimates_in(solver, exponential_sigmas(steps)) for steps in (8, 9))
            order = getattr(solver, "order", None)  # of lcm there is none: it follows no ODE
            measured = "-" if order is None else f"{measured_order(solver):.2f}"
            numbers = "-" if order is None else str(order), measured, str(more - fewer)
            rows.append([f"`{name}`: {choice.title}, {choice.about}", *numbers])
    return markdown_table(["solver", "order", "measured", "estimates a step"], rows)


def main(arguments: Arguments) -> None:
    """Measure, print, and write into the page."""
    text = "\n".join(table())
    print(text)
    write_results(arguments.docs / "guidance.md", "scripts/solver_orders.py", text)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
