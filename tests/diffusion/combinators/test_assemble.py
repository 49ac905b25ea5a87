"""All parts at once, from the settings through a pipeline whose network is as cheap as its answer is known."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import Euler, Particles, Resampling, Restarting, SoftHoles, solve, solve_and_record
from nvs_jax.diffusion.assemble import check_parts, count_steps
from nvs_jax.diffusion.combinators.assemble import around_guidance, around_solver
from nvs_jax.diffusion.counting import count_evaluations
from nvs_jax.diffusion.levels import make_levels
from nvs_jax.errors import InputError
from nvs_jax.geometry import intrinsics_matrix, orbit
from nvs_jax.pipeline import Pipeline
from nvs_jax.settings import ParticleSettings, RenderSettings, ResampleSettings, RestartSettings, TrustSettings
from nvs_jax.steering.conditions import from_photo
from tests.models.toy_video import ToyVideo
from tests.tiny import HEIGHT, WIDTH, scene

PLAIN = ToyVideo.defaults
ALL = replace(
    PLAIN,
    schedule=replace(PLAIN.schedule, steps=8, start=30.0),
    trust=TrustSettings(distance="pixels"),
    guidance=replace(PLAIN.guidance, hole_edge=1.0, hole_doubt=5.0, hole_strength=0.5),
    restart=RestartSettings(1, 0.2, 10.0),
    resample=ResampleSettings(1, 0.5, 3.0),
    particles=ParticleSettings(3, 0.2, 10.0),
)


def conditions_of(settings: RenderSettings):
    K, path = intrinsics_matrix(20.0, HEIGHT, WIDTH), orbit(6.0, 6.0, 2.0, 9)
    return from_photo(*scene(), K, path, settings)


def test_where_they_are_off_nothing_is_put_around_and_nothing_repeated():
    problem: Any = Pipeline(ToyVideo()).prepare(conditions_of(PLAIN), 0, PLAIN)
    levels = make_levels(PLAIN)
    assert problem.start is None
    assert (problem.solver, len(problem.sigmas)) == (Euler(), 7)
    assert around_solver(PLAIN, Euler(), levels) == (Euler(), levels)
    assert around_guidance(PLAIN, problem.guidance, problem.guidance.modulate) is problem.guidance
    assert not isinstance(problem.guidance, SoftHoles | Particles)
    assert count_steps(PLAIN) == 6


@pytest.mark.full
def test_all_of_them_at_once_follow_the_views():
    pipeline, conditions = Pipeline(ToyVideo()), conditions_of(ALL)
    problem: Any = pipeline.prepare(conditions, 5, ALL)
    assert problem.solver == Resampling(Restarting(Euler(), problem.solver.solver.high))
    assert (len(problem.noise), float(problem.sigmas[0])) == (3, 30.0)
    assert count_evaluations(problem).estimates == len(problem.sigmas) - 1 == count_steps(ALL)
    told = []
    render = pipeline.render_conditions(conditions, 5, ALL, report=lambda *what: told.append(what))
    assert render.frames.shape == (9, HEIGHT, WIDTH, 3)
    assert told[-2] == ("sample", count_steps(ALL), count_steps(ALL))
    latents, seen = solve_and_record(problem, lambda info: info.sigma)
    np.testing.assert_array_equal(seen, problem.sigmas[:-1])
    np.testing.assert_allclose(pipeline.decode(latents[:1], ALL)[0], render.frames, atol=1e-5)
    plain = pipeline.render_conditions(conditions_of(PLAIN), 5, PLAIN)
    assert float(np.abs(render.frames - plain.frames).mean()) < 0.2


def test_particles_take_one_seed_and_restarts_enough_levels():
    with pytest.raises(InputError, match="takes one seed at a time, not 2"):
        Pipeline(ToyVideo()).render_seeds(conditions_of(ALL), (0, 1), ALL)
    with pytest.raises(InputError, match="take three noise levels of the schedule, not 2"):
        check_parts(replace(PLAIN, restart=RestartSettings(1, 0.5, 6.0)))
    with pytest.raises(InputError, match=r"schedule\.start 90 is above"):
        check_parts(replace(PLAIN, schedule=replace(PLAIN.schedule, start=90.0)))
    with pytest.raises(InputError, match=r"hole_doubt needs trust\.distance pixels"):
        replace(ALL, trust=TrustSettings())


def test_a_render_with_parts_is_one_program_with_a_gradient():
    settings = replace(ALL, particles=ParticleSettings(), guidance=replace(ALL.guidance, estimate="blend"))
    pipeline = Pipeline(ToyVideo())
    problem = pipeline.prepare(conditions_of(settings), 0, settings)

    def loss(noise):
        return jnp.sum(solve(replace(problem, noise=noise)) ** 2)

    slope = jax.jit(jax.grad(loss))(problem.noise)
    assert bool(jnp.isfinite(slope).all()) and float(jnp.abs(slope).max()) > 0
