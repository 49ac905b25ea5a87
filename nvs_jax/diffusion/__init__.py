"""Noise schedule, trust in the views, guidance and solvers. Nothing here knows a network or a camera."""

from nvs_jax.diffusion.assemble import make_solver
from nvs_jax.diffusion.combinators.agreement import Agreement
from nvs_jax.diffusion.combinators.particles import Particles
from nvs_jax.diffusion.combinators.resampling import Resampling, resampled
from nvs_jax.diffusion.combinators.restarts import Restarting, restarted
from nvs_jax.diffusion.combinators.soft_holes import SoftHoles, doubt_weight, edge_weight
from nvs_jax.diffusion.combinators.warm_start import levels_from
from nvs_jax.diffusion.contracts import Codec, Denoiser, Guidance, Trust
from nvs_jax.diffusion.estimates import Blend, Select, SmoothSelect, WarpedViews
from nvs_jax.diffusion.guidance import DirectGuidance, FilledHoles, PosteriorGuidance, Tiled, Unguided, Within
from nvs_jax.diffusion.parts import Parts
from nvs_jax.diffusion.problem import Problem, Report, States, solve, solve_and_record
from nvs_jax.diffusion.randomness import normal
from nvs_jax.diffusion.recording import Record, StepInfo
from nvs_jax.diffusion.reference_trust import reference_trust
from nvs_jax.diffusion.sampler import Carry, init, run_steps, sample, step
from nvs_jax.diffusion.schedule import exponential_sigmas, flow_sigmas, karras_sigmas, listed_sigmas
from nvs_jax.diffusion.solver import Solver, solver_class
from nvs_jax.diffusion.solvers.adams3 import ExponentialAdams
from nvs_jax.diffusion.solvers.churn import Churn
from nvs_jax.diffusion.solvers.dpmpp2m import DPMSolverPP2M
from nvs_jax.diffusion.solvers.euler import Euler
from nvs_jax.diffusion.solvers.heun import Heun
from nvs_jax.diffusion.solvers.lcm import LCM
from nvs_jax.diffusion.trust import (
    ClosedFormTrust,
    Coefficients,
    ErrorModelTrust,
    TabulatedTrust,
    closed_form_trust,
    error_model_trust,
    log_lambda,
    log_lambda_of_errors,
    optimal_trust,
    trust_of_errors,
    trust_table,
)
from nvs_jax.windows import Window

__all__ = [
    "LCM",
    "Agreement",
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
    "Particles",
    "Parts",
    "PosteriorGuidance",
    "Problem",
    "Record",
    "Report",
    "Resampling",
    "Restarting",
    "Select",
    "SmoothSelect",
    "SoftHoles",
    "Solver",
    "States",
    "StepInfo",
    "TabulatedTrust",
    "Tiled",
    "Trust",
    "Unguided",
    "WarpedViews",
    "Window",
    "Within",
    "closed_form_trust",
    "doubt_weight",
    "edge_weight",
    "error_model_trust",
    "exponential_sigmas",
    "flow_sigmas",
    "init",
    "karras_sigmas",
    "levels_from",
    "listed_sigmas",
    "log_lambda",
    "log_lambda_of_errors",
    "make_solver",
    "normal",
    "optimal_trust",
    "reference_trust",
    "resampled",
    "restarted",
    "run_steps",
    "sample",
    "solve",
    "solve_and_record",
    "solver_class",
    "step",
    "trust_of_errors",
    "trust_table",
]
