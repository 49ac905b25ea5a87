"""Noise schedule, view weights, guidance and solvers. Nothing here knows a network or a camera."""

from nvs_jax.diffusion.contracts import Codec, Denoiser, Guidance, ViewWeights
from nvs_jax.diffusion.estimates import Blend, Select
from nvs_jax.diffusion.guidance import DirectGuidance, PosteriorGuidance, Tiled, Unguided
from nvs_jax.diffusion.reference_weights import reference_weights
from nvs_jax.diffusion.sampler import Carry, run, sample, start, step
from nvs_jax.diffusion.schedule import karras_sigmas
from nvs_jax.diffusion.solvers import Euler, Solver
from nvs_jax.diffusion.view_weights import (
    ClosedFormWeights,
    Coefficients,
    TabulatedWeights,
    closed_form_weights,
    optimal_weight,
    view_weights,
)
from nvs_jax.windows import Window

__all__ = [
    "Blend",
    "Carry",
    "ClosedFormWeights",
    "Codec",
    "Coefficients",
    "Denoiser",
    "DirectGuidance",
    "Euler",
    "Guidance",
    "PosteriorGuidance",
    "Select",
    "Solver",
    "TabulatedWeights",
    "Tiled",
    "Unguided",
    "ViewWeights",
    "Window",
    "closed_form_weights",
    "karras_sigmas",
    "optimal_weight",
    "reference_weights",
    "run",
    "sample",
    "start",
    "step",
    "view_weights",
]
