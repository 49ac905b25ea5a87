"""Muon and Adam."""

from typing import Any

import jax.numpy as jnp
import optax
import optax.contrib

from nvs_jax.models.weights import Weights
from scripts.train.settings import OptimizerSettings

_AT_THE_ENDS = ("conv_in", "conv_out", "time_conv_out")


def learning_rate(settings: OptimizerSettings) -> optax.Schedule:
    """The rate as a function of the step: it rises, stays, and falls at the end."""
    peak, fall = settings.learning_rate, settings.cool_down
    rise_and_stay = optax.linear_schedule(0.0, peak, settings.warm_up)
    if not fall:
        return rise_and_stay
    return optax.join_schedules(
        [rise_and_stay, optax.linear_schedule(peak, 0.02 * peak, fall)], [settings.steps - fall]
    )


def make_optimizer(settings: OptimizerSettings, rate: optax.Schedule, matrices: Any) -> optax.GradientTransformation:
    """Muon for matrices and kernels, Adam for the rest.

    The step of a matrix is scaled to the size Adam's would have, so that one rate serves both.

    Args:
        settings: of the optimizer.
        rate: of learning, as a function of the step.
        matrices: `matrices_of` or the like: how each weight is a matrix, or None.
    """
    muon = optax.contrib.muon(
        rate, adam_b2=0.99, consistent_rms=0.2, muon_weight_dimension_numbers=matrices, mu_dtype=jnp.float32
    )
    return optax.chain(optax.clip_by_global_norm(settings.clip_norm), muon)


def is_matrix(name: str, value: Any) -> bool:
    """Whether Muon takes a weight: neither vectors, nor kernels for pictures in and out."""
    return getattr(value, "ndim", 0) >= 2 and not any(part in name.split(".") for part in _AT_THE_ENDS)


def matrices_of(weights: Weights) -> dict[str, Any]:
    """How each weight is a matrix from all its other axes to its last, or None."""
    return {
        name: optax.contrib.MuonDimensionNumbers(tuple(range(value.ndim - 1)), value.ndim - 1)
        if is_matrix(name, value)
        else None
        for name, value in weights.items()
    }


def stacked_matrices_of(packed: Weights) -> dict[str, Any]:
    """The same of stacks [n, rows, columns] (`packing`), and None of a vector."""
    return {
        name: optax.contrib.MuonDimensionNumbers(1, 2) if getattr(value, "ndim", 0) == 3 else None
        for name, value in packed.items()
    }
