"""What a solver is, and the solver of a name. The solvers themselves are the modules of `nvs_jax.diffusion.solvers`."""

from collections.abc import Callable
from types import ModuleType
from typing import Any, Protocol, runtime_checkable

from nvs_jax.diffusion.contracts import Latents, Sigma
from nvs_jax.diffusion.randomness import Keys
from nvs_jax.errors import InputError
from nvs_jax.settings.registry import load_solver

Estimator = Callable[[Latents, Sigma], Latents]


@runtime_checkable
class Solver(Protocol):
    """One step from `sigma` to `sigma_next`; a frozen, hashable object (static under jit).

    `order`, if it has one, is its order of convergence. If its numbers depend on the settings or on how many steps
    there are, a classmethod `of(settings, steps)` makes it; else it is made without arguments.
    """

    def init(self, x: Latents) -> Any:
        """What the solver remembers before the first step: a pytree, so that every solver runs in the same scan."""
        ...

    def step(
        self, x: Latents, memory: Any, sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: Keys
    ) -> tuple[Latents, Any]:
        """The latents at `sigma_next`, and what to remember.

        Args:
            x: latents at `sigma`.
            memory: what the last step returned.
            sigma: noise level of `x`.
            sigma_next: noise level to arrive at, possibly 0.
            estimate: guided x0 at any (x, sigma).
            key: randomness of this step: one, or one a video; `nvs_jax.diffusion.normal` draws from either.
        """
        ...


def solver_class(name: str) -> Any:
    """The class of a solver.

    Args:
        name: of a module in `nvs_jax.diffusion.solvers`, or of an entry point.

    Raises:
        InputError: there is none.

    >>> solver_class("heun").order
    2
    """
    found = load_solver(name)
    if not isinstance(found, ModuleType):
        return found
    classes = [one for one in vars(found).values() if _is_solver(one) and one.__module__ == found.__name__]
    if len(classes) != 1:
        raise InputError(f"{found.__name__} must have one class with `init` and `step`, and has {len(classes)}")
    return classes[0]


def _is_solver(one: Any) -> bool:
    return isinstance(one, type) and hasattr(one, "init") and hasattr(one, "step") and not one.__name__.startswith("_")
