"""What may be recorded of every step: inside the scan, on the device, and only what is asked for."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from nvs_jax.pytree import pytree

StackedLatents = Float[Array, "*steps b f h w c"]


@pytree
class StepInfo:
    """What a step knows. What is not recorded of it is not kept. Recorded as it is, all is stacked by step.

    Attributes:
        step: its number, from 0.
        sigma: noise level of `x`.
        sigma_next: of `x_next`.
        x: the noisy latents before the step.
        corrected: the same after the guidance's `correct`.
        x0: the network's estimate mu where the solver evaluates it first: at `corrected` and `sigma`, unless it is a
            solver that adds noise before. That first estimate must not be made inside of a loop or a branch.
        guided: mu~, what the guidance's `estimate` made of it.
        w: the trust there.
        x_next: the latents after the step.
    """

    step: Int[Array, "*steps"]
    sigma: Float[Array, "*steps"]
    sigma_next: Float[Array, "*steps"]
    x: StackedLatents
    corrected: StackedLatents
    x0: StackedLatents
    guided: StackedLatents
    w: Float[Array, "..."]
    x_next: StackedLatents


Record = Callable[[StepInfo], Any]
"""What to record of a step: any pytree of arrays, whose shapes are those of every step. A function of a module, not a
new one for every call, which would be another program."""


def empty_records(row: Callable[[], Any], steps: int) -> Any:
    """Room for so many steps.

    Args:
        row: makes what is recorded of one; it is asked for shapes alone.
        steps: how many.

    >>> empty_records(lambda: {"norm": jnp.ones(2)}, 3)["norm"].shape
    (3, 2)
    """
    structures = []

    def leaves() -> list[Array]:
        leaves, structure = jax.tree.flatten(row())
        structures.append(structure)
        return leaves

    rooms = [jnp.zeros((steps, *leaf.shape), leaf.dtype) for leaf in jax.eval_shape(leaves)]
    return jax.tree.unflatten(structures[0], rooms)


def put_rows(records: Any, rows: Any, first: Int[Array, ""]) -> Any:
    """The records with those of the steps from `first` on."""
    return jax.tree.map(lambda to, of: jax.lax.dynamic_update_slice_in_dim(to, of, first, 0), records, rows)
