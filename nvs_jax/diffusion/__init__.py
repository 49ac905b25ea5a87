"""Noise schedule, view weights, guidance and solvers. Nothing here knows a network or a camera."""

from nvs_jax.diffusion.contracts import Codec, Denoiser, Guidance, ViewWeights
from nvs_jax.diffusion.estimates import Blend, Select, SmoothSelect
from nvs_jax.diffusion.guidance import DirectGuidance, FilledHoles, PosteriorGuidance, Tiled, Unguided, Within
from nvs_jax.diffusion.reference_weights import reference_weights
from nvs_jax.diffusion.sampler import Carry, run, sample, start, step
from nvs_jax.diffusion.schedule import exponential_sigmas, karras_sigmas, listed_sigmas
from nvs_jax.diffusion.solvers import Churn, DPMSolverPP2M, Euler, ExponentialAdams, Heun, Solver
from nvs_jax.diffusion.view_weights import (
    ClosedFormWeights,
    Coefficients,
    ErrorModelWeights,
    TabulatedWeights,
    closed_form_weights,
    error_model_weights,
    optimal_weight,
    view_weights,
    weight_of_errors,
)
from nvs_jax.windows import Window

__all__ = [
    "Blend",
    "Carry",
    "Churn",
    "ClosedFormWeights",
    "Codec",
    "Coefficients",
    "DPMSolverPP2M",
    "Denoiser",
    "DirectGuidance",
    "ErrorModelWeights",
    "Euler",
    "ExponentialAdams",
    "FilledHoles",
    "Guidance",
    "Heun",
    "PosteriorGuidance",
    "Select",
    "SmoothSelect",
    "Solver",
    "TabulatedWeights",
    "Tiled",
    "Unguided",
    "ViewWeights",
    "Window",
    "Within",
    "closed_form_weights",
    "error_model_weights",
    "exponential_sigmas",
    "karras_sigmas",
    "listed_sigmas",
    "optimal_weight",
    "reference_weights",
    "run",
    "sample",
    "start",
    "step",
    "view_weights",
    "weight_of_errors",
]
