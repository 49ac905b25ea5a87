"""Conditions become a problem, with the settings' parts or with one's own; a model that costs nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import (
    Coefficients,
    DirectGuidance,
    DPMSolverPP2M,
    Euler,
    Heun,
    Parts,
    Select,
    TabulatedTrust,
    closed_form_trust,
    normal,
    solve,
    solve_and_record,
)
from nvs_jax.errors import InputError
from nvs_jax.geometry import intrinsics_matrix, orbit
from nvs_jax.inputs import given_view
from nvs_jax.pipeline import Pipeline
from nvs_jax.pytree import pytree
from nvs_jax.sharding import make_mesh
from nvs_jax.steering import Noise, from_photo, photo_plan, video_plan
from nvs_jax.steering.preparing import keys_of
from tests.models.toy_video import ToyVideo
from tests.tiny import HEIGHT, WIDTH, scene

FRAMES = 9
K = intrinsics_matrix(20.0, HEIGHT, WIDTH)
PATH = orbit(6.0, 6.0, 2.0, FRAMES)
PIPELINE = Pipeline(ToyVideo())
SETTINGS = PIPELINE.settings


def conditions():
    return from_photo(*scene(), K, PATH, SETTINGS)


def select(views):
    return DirectGuidance(Select(views.target, views.hole))


def trust(distances):
    told = SETTINGS.trust
    coefficients = Coefficients(told.v1, told.v2, told.v3)
    return closed_form_trust(distances, PIPELINE.model.sigma_scale, coefficients)


def test_parts_of_ones_own_that_are_the_settings_give_the_same_bits():
    own = Parts(guidance=select, solver=Euler(), trust=trust)
    expected = PIPELINE.render_conditions(conditions(), 1)
    rendered = PIPELINE.render_conditions(conditions(), 1, parts=own)
    np.testing.assert_array_equal(rendered.frames, expected.frames)
    np.testing.assert_array_equal(rendered.trust, expected.trust)


def test_each_part_takes_the_place_of_the_settings_and_of_nothing_else():
    expected = PIPELINE.prepare(conditions(), 0)
    table = TabulatedTrust(expected.sigmas[:-1], jnp.full((len(expected.sigmas) - 1, 3), 0.3))
    for name, own in {"guidance": Shaken(), "solver": Heun(), "trust": table}.items():
        problem = PIPELINE.prepare(conditions(), 0, parts=Parts(**{name: own}))
        assert getattr(problem, name) is own
        other = [field for field in ("guidance", "solver", "trust") if field != name]
        assert [type(getattr(problem, field)) for field in other] == [type(getattr(expected, field)) for field in other]


def test_render_takes_parts_beside_its_overrides():
    photo, depth = scene()
    given = {"depth": depth, "path": PATH, "intrinsics": K, "steps": 2}
    plain, own = (PIPELINE.render(photo, **given, parts=parts) for parts in (Parts(), Parts(solver=Heun())))
    assert own.trust.shape == plain.trust.shape == (2, 3)
    assert np.abs(own.frames - plain.frames).max() > 1e-4


def test_what_makes_a_part_is_called_for_every_leg():
    photo, depth = scene()
    clip, depths, path = np.stack([photo] * 15), np.stack([depth] * 15), orbit(6.0, 6.0, 1.0, 15)
    plan, called = video_plan(clip, depths, K, path, FRAMES, SETTINGS), []

    def made(views):
        called.append(views.target.shape)
        return select(views)

    frames = PIPELINE.render_plan(plan, parts=Parts(guidance=made)).frames
    assert called == [(1, 3, HEIGHT // 2, WIDTH // 2, 3)] * 2
    np.testing.assert_array_equal(frames, PIPELINE.render_plan(plan).frames)


def test_a_part_that_does_not_fit_is_refused_before_anything_is_sampled():
    plan = photo_plan(given_view(*scene(), K), PATH, SETTINGS)
    with pytest.raises(InputError, match=r"trust: TabulatedTrust gives \[7\]"):
        PIPELINE.render_plan(plan, parts=Parts(trust=TabulatedTrust(jnp.ones(2), jnp.ones((2, 7)))))


@pytree
class Shaken:
    """Everything is noise."""

    def correct(self, x, sigma, w, denoiser, key):
        return x + 0.1 * sigma * normal(key, x)

    def estimate(self, x0, sigma, w, key):
        return x0 + 0.1 * normal(key, x0)


def test_several_seeds_with_a_stochastic_guidance_are_what_each_is_alone():
    parts, seeds = Parts(guidance=Shaken()), (4, 5, 6)
    together = PIPELINE.render_seeds(conditions(), seeds, parts=parts)
    for seed, render in zip(seeds, together, strict=True):
        alone = PIPELINE.render_conditions(conditions(), seed, parts=parts)
        np.testing.assert_allclose(render.frames, alone.frames, atol=1e-5)
    assert np.abs(together[0].frames - together[1].frames).max() > 0.01


def test_seeds_keys_and_noise_are_three_ways_to_say_the_same():
    by_seed, by_key = (PIPELINE.prepare(conditions(), given) for given in (3, jax.random.key(3)))
    np.testing.assert_array_equal(by_seed.noise, by_key.noise)
    several = PIPELINE.prepare(conditions(), (2, 3))
    np.testing.assert_array_equal(several.noise[1], by_seed.noise[0])
    replayed = PIPELINE.prepare(conditions(), Noise(jnp.zeros((HEIGHT, WIDTH, 3)), by_seed.noise[0]))
    np.testing.assert_array_equal(solve(replayed), solve(by_seed))
    keys = jax.random.split(jax.random.key(1), 2)
    assert solve(PIPELINE.prepare(conditions(), keys)).shape == (2, *by_seed.noise.shape[1:])


@pytest.mark.parametrize(("seeds", "message"), [((), "no seeds"), (jnp.arange(2), "an array of int32 is no key")])
def test_what_is_no_seed_is_refused(seeds, message):
    with pytest.raises(InputError, match=message):
        keys_of(seeds)


@pytest.mark.parametrize("solver", [DPMSolverPP2M(), Heun()])
def test_on_a_mesh_solvers_may_remember_numbers_and_steps_are_recorded(solver):
    """A noise level has no axis to divide."""
    parts, meshed = Parts(solver=solver), Pipeline(PIPELINE.model, make_mesh())
    found, expected = (
        solve_and_record(pipeline.prepare(conditions(), (0, 1), parts=parts), what_is_trusted)
        for pipeline in (meshed, PIPELINE)
    )
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-5), found, expected)


def what_is_trusted(step):
    return step.w


def test_vmap_over_the_whole_of_it_from_the_path_to_the_latents():
    """In one program, whatever is mapped over."""

    def latents(radius):
        path = orbit(radius, radius, 2.0, FRAMES)
        return solve(PIPELINE.prepare(from_photo(*scene(), K, path, SETTINGS), 0))

    mapped = jax.jit(jax.vmap(latents))(jnp.array([6.0, 6.5]))
    np.testing.assert_allclose(mapped[1], jax.jit(latents)(6.5), rtol=1e-4, atol=1e-4)
