"""Noise schedule, trust in the views, guidance and solvers. Nothing here knows a network or a camera."""

from nvs_jax.diffusion.contracts import Codec, Denoiser, Guidance, Trust
from nvs_jax.diffusion.estimates import Blend, Select, SmoothSelect
from nvs_jax.diffusion.guidance import DirectGuidance, FilledHoles, PosteriorGuidance, Tiled, Unguided, Within
from nvs_jax.diffusion.problem import Problem, Report, States, solve
from nvs_jax.diffusion.randomness import normal
from nvs_jax.diffusion.reference_trust import reference_trust
from nvs_jax.diffusion.sampler import Carry, init, run_steps, sample, step
from nvs_jax.diffusion.schedule import exponential_sigmas, karras_sigmas, listed_sigmas
from nvs_jax.diffusion.solvers import Churn, DPMSolverPP2M, Euler, ExponentialAdams, Heun, Solver
from nvs_jax.diffusion.trust import (
    ClosedFormTrust,
    Coefficients,
    ErrorModelTrust,
    TabulatedTrust,
    closed_form_trust,
    error_model_trust,
    optimal_trust,
    trust_of_errors,
    trust_table,
)
from nvs_jax.windows import Window

__all__ = [
    "Blend",
    "Carry",
    "Churn",
    "ClosedFormTrust",
    "Codec",
    "Coefficients",
    "DPMSolverPP2M",
    "Denoiser",
    "DirectGuidance",
    "ErrorModelTrust",
    "Euler",
    "ExponentialAdams",
    "FilledHoles",
    "Guidance",
    "Heun",
    "PosteriorGuidance",
    "Problem",
    "Report",
    "Select",
    "SmoothSelect",
    "Solver",
    "States",
    "TabulatedTrust",
    "Tiled",
    "Trust",
    "Unguided",
    "Window",
    "Within",
    "closed_form_trust",
    "error_model_trust",
    "exponential_sigmas",
    "init",
    "karras_sigmas",
    "listed_sigmas",
    "normal",
    "optimal_trust",
    "reference_trust",
    "run_steps",
    "sample",
    "solve",
    "step",
    "trust_of_errors",
    "trust_table",
]
