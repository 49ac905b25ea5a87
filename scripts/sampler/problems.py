"""What is sampled: a denoiser, a guidance towards random views, noise. The same numbers for all that is compared."""

from functools import cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

import nvs_jax
from nvs_jax.diffusion import Guidance, Problem, closed_form_trust
from nvs_jax.diffusion.assemble import make_guidance, make_solver
from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.diffusion.levels import make_sigmas
from nvs_jax.evaluation.records import weights_digest
from nvs_jax.models.svd.config import UNetConfig
from nvs_jax.models.svd.denoiser import SVDDenoiser
from nvs_jax.models.svd.networks import as_svd
from nvs_jax.models.svd.unet.network import UNetSpatioTemporal
from nvs_jax.models.weights import Weights, random_weights
from nvs_jax.settings import GuidanceSettings, ScheduleSettings, SolverKind, SolverSettings
from nvs_jax.settings.jobs import Dtype
from nvs_jax.sharding import make_mesh, place
from scripts.accelerator.sizes import SMALL
from scripts.sampler.options import Setting


class Network(NamedTuple):
    """A UNet, the noise levels that suit it, and a short name for the values of its model's weights."""

    config: UNetConfig
    weights: Weights
    schedule: ScheduleSettings
    digest: str


@cache
def network(weights: str | None, dtype: Dtype | None) -> Network:
    """SVD's, or a small one with random weights."""
    if weights is None:
        values = random_weights(UNetSpatioTemporal(SMALL.unet), 0)
        cast = {name: value.astype(dtype or value.dtype) for name, value in values.items()}
        return Network(SMALL.unet, cast, ScheduleSettings(), "seed 0")
    model = nvs_jax.load(weights, dtype=dtype).model
    networks = as_svd(model.networks)
    return Network(networks.unet_config, networks.unet, model.defaults.schedule, weights_digest(networks))


def make_problem(
    weights: str | None, setting: Setting, solver: SolverKind, steps: int, dtype: Dtype | None = None
) -> Problem:
    """Random conditions, views without holes, and noise, of one seed.

    Args:
        weights: as in `nvs_jax.load`; None: random ones.
        setting: size, guidance, mesh, and dtype unless another is given.
        solver: its name.
        steps: of the run.
        dtype: in place of the setting's.
    """
    net = network(weights, dtype or setting.dtype)
    noise, views = random_views(net.config, setting)
    denoiser = SVDDenoiser(
        weights=net.weights,
        image_latent=_normal(1, (1, setting.height, setting.width, net.config.out_channels)),
        embedding=_normal(2, (1, net.config.cross_attention_dim[0])),
        time_ids=jnp.array([6, 127, 0.02]),
        guidance_scale=jnp.linspace(1, 3, setting.frames),
        config=net.config,
    )
    schedule = ScheduleSettings(steps, net.schedule.sigma_max, net.schedule.sigma_min, net.schedule.rho)
    sigmas, mesh = make_sigmas(schedule), None if setting.mesh is None else make_mesh(*setting.mesh)
    problem = Problem(
        denoiser=denoiser,
        guidance=named_guidance(setting.guidance, views, net.config.stride),
        trust=closed_form_trust(jnp.arange(float(setting.frames)), sigmas[0]),
        noise=noise,
        sigmas=sigmas,
        solver=make_solver(SolverSettings(solver), steps),
        mesh=mesh,
    )
    return place(problem, mesh)


def random_views(config: UNetConfig, setting: Setting) -> tuple[Array, Array]:
    """Noise and views, both N(0, 1), [1, f, h, w, c]."""
    shape = 1, setting.frames, setting.height, setting.width, config.out_channels
    return _normal(3, shape), _normal(4, shape)


def _normal(seed: int, shape: tuple[int, ...]) -> Array:
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape, np.float32))


def named_guidance(name: str, views: Array, stride: int) -> Guidance:
    """The guidance of the table, towards views without holes."""
    method, gradient = ("post", "full") if name == "post-full" else (name, "skip")
    settings = GuidanceSettings(method=method, clamp=0.2, gradient=gradient)
    return make_guidance(settings, WarpedViews(views, jnp.zeros(views.shape[:-1], bool)), stride)
