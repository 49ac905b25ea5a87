from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax import InputError
from nvs_jax.diffusion.problem import solve
from nvs_jax.geometry import intrinsics_matrix, line, orbit
from nvs_jax.models.svd.model import SVD
from nvs_jax.pipeline import Pipeline, override
from nvs_jax.settings import (
    GuidanceSettings,
    PathSettings,
    RenderSettings,
    ScheduleSettings,
    SolverSettings,
    TrustSettings,
)
from nvs_jax.steering.conditions import from_photo
from nvs_jax.steering.preparing import Noise
from tests.compilations import count_compilations
from tests.tiny import FRAMES, HEIGHT, WIDTH, scene, tiny_networks, tiny_pipeline

SETTINGS = RenderSettings(schedule=ScheduleSettings(steps=2))
PATH = orbit(6.0, 6.0, 4.0, FRAMES)
INTRINSICS = intrinsics_matrix(20.0, HEIGHT, WIDTH)


def render(pipeline, photo, depth, **options):
    options = {"path": PATH, "intrinsics": INTRINSICS, "settings": SETTINGS} | options
    return pipeline.render(photo, depth=depth, **options)


@pytest.fixture(scope="module")
def pipeline():
    return tiny_pipeline()


def test_a_render_has_every_part(pipeline):
    photo, depth = scene()
    told = []
    result = render(pipeline, photo, depth, report=lambda *what: told.append(what))
    assert result.frames.shape == (FRAMES, HEIGHT, WIDTH, 3)
    assert np.isfinite(result.frames).all()
    assert result.frames.min() >= 0
    assert result.frames.max() <= 1
    assert result.conditions.warp.pictures.shape == (FRAMES - 1, HEIGHT, WIDTH, 3)
    assert result.trust.shape == (2, FRAMES)
    assert (result.trust[:, 0] == 1).all()
    assert told == [("warp", 1, 1), ("encode", 1, 1), ("sample", 1, 2), ("sample", 2, 2), ("decode", 1, 1)]


def test_dgs_gives_the_first_frame_its_latent(pipeline):
    photo, depth = scene()
    conditions = from_photo(photo, depth, INTRINSICS, PATH, SETTINGS)
    problem = pipeline.prepare(conditions, jax.random.key(0), SETTINGS)
    latents = solve(problem)
    np.testing.assert_allclose(latents[:, 0], problem.guidance.modulate.target[:, 0], atol=1e-5)


def test_a_render_can_be_repeated(pipeline):
    one, two = (render(pipeline, *scene()) for _ in range(2))
    np.testing.assert_array_equal(one.frames, two.frames)


def test_the_seed_changes_the_video_and_nothing_else(pipeline):
    photo, depth = scene()
    one, two = (render(pipeline, photo, depth, seed=seed) for seed in (0, 1))
    assert np.abs(one.frames - two.frames).max() > 0.01
    np.testing.assert_array_equal(one.conditions.warp.pictures, two.conditions.warp.pictures)


def test_another_photo_path_seed_and_weights_compile_nothing(pipeline):
    render(pipeline, *scene())
    other = tiny_pipeline(seed=1)
    photo, depth = scene(1)
    path, intrinsics = line(7.0, jnp.array([5.0, 0.0, -3.0]), FRAMES), intrinsics_matrix(25.0, HEIGHT, WIDTH)
    with count_compilations() as count:
        render(other, photo, depth + 1, path=path, intrinsics=intrinsics, seed=3)
    assert count.value == 0


@pytest.mark.parametrize(("principal", "x"), [("middle", (WIDTH - 1) / 2), ("release", WIDTH / 2)])
def test_render_takes_the_axis_of_the_settings(pipeline, monkeypatch, principal, x):
    taken = []

    def stop(photo, depth, intrinsics, *_):
        taken.append(intrinsics)
        raise InputError("stop")

    monkeypatch.setattr("nvs_jax.steering.legs.from_photo", stop)
    settings = replace(SETTINGS, camera=replace(SETTINGS.camera, principal=principal))
    with pytest.raises(InputError, match="stop"):
        render(pipeline, *scene(), intrinsics=None, settings=settings)
    assert float(taken[0][0, 2]) == x


@pytest.mark.parametrize("method", ["post", pytest.param("none", marks=pytest.mark.full)])
def test_other_methods(pipeline, method):
    photo, depth = scene()
    result = render(pipeline, photo, depth, method=method, steps=1)
    assert np.isfinite(result.frames).all()
    assert len(result.sigmas) == 1


def test_noise_can_be_handed_in(pipeline):
    photo, depth = scene()
    conditions = from_photo(photo, depth, INTRINSICS, PATH, SETTINGS)
    shape = pipeline.model.lattice.latent_shape(FRAMES, HEIGHT, WIDTH)
    noise = Noise(jnp.zeros(photo.shape), jnp.ones(shape))
    problem = pipeline.prepare(conditions, noise, SETTINGS)
    assert (problem.noise == 1).all()
    without = pipeline.model.told(SETTINGS).codec().encode(jnp.asarray(photo)[None])[0]
    np.testing.assert_allclose(problem.guidance.modulate.target[0, 0], without, atol=1e-5)


@pytest.mark.full
@pytest.mark.parametrize(
    ("guidance", "solver"),
    [("dgs", "churn"), ("post", "euler")],
)
def test_several_seeds_at_once_give_what_each_gives_alone(pipeline, guidance, solver):
    """The given view's own noise among it, and that of a stochastic solver."""
    photo, depth = scene()
    settings = override(replace(SETTINGS, solver=SolverSettings(solver)), guidance)
    conditions = from_photo(photo, depth, INTRINSICS, PATH, settings)
    seeds = (0, 1, 2, 3)
    problem = pipeline.prepare(conditions, seeds, settings)
    assert problem.guidance.modulate.target.shape[0] == len(problem.key) == len(seeds)
    together = pipeline.render_seeds(conditions, seeds, settings)
    assert len(together) == len(seeds)
    for seed in (0, 3):
        alone = pipeline.render_conditions(conditions, seed, settings)
        np.testing.assert_allclose(together[seed].frames, alone.frames, atol=1e-4)
        np.testing.assert_array_equal(together[seed].trust, alone.trust)
    assert np.abs(together[1].frames - together[0].frames).max() > 0.01


@pytest.mark.full
def test_noise_of_several_videos_can_be_handed_in(pipeline):
    """And solved in one program under vmap, over whatever there is."""
    photo, depth = scene()
    conditions = from_photo(photo, depth, INTRINSICS, PATH, SETTINGS)
    shape = pipeline.model.lattice.latent_shape(FRAMES, HEIGHT, WIDTH)
    noise = Noise(jnp.zeros((2, *photo.shape)), jax.random.normal(jax.random.key(1), (2, *shape)))
    latents = solve(pipeline.prepare(conditions, noise, SETTINGS))
    assert pipeline.decode(latents).shape == (2, FRAMES, HEIGHT, WIDTH, 3)
    assert pipeline.decode(latents[0]).shape == (FRAMES, HEIGHT, WIDTH, 3)
    problem = pipeline.prepare(conditions, Noise(noise.picture[0], noise.latents[0]), SETTINGS)
    mapped = jax.vmap(lambda latents: solve(replace(problem, noise=latents[None]))[0])(noise.latents)
    np.testing.assert_allclose(mapped, latents, rtol=1e-4, atol=1e-4)


def test_steps_of_a_list_of_levels_are_not_changed_in_silence():
    listed = RenderSettings(schedule=ScheduleSettings(kind="list", levels=(80.0, 10.0, 1.0)))
    assert override(listed, steps=3) == listed
    with pytest.raises(InputError, match="3 noise levels"):
        override(listed, steps=50)


def test_a_solver_named_in_settings_alone_is_refused(pipeline):
    with pytest.raises(InputError, match="no solver 'mine': choose adams3"):
        render(pipeline, *scene(), settings=replace(SETTINGS, solver=SolverSettings("mine")))


def test_bfloat16_stays_finite(pipeline):
    networks = tiny_networks()
    narrow = {name: weight.astype(jnp.bfloat16) for name, weight in networks.unet.items()}
    model = SVD(replace(networks, unet=narrow))
    assert np.isfinite(render(Pipeline(model), *scene()).frames).all()


def test_refuses_a_size_the_model_cannot_take(pipeline):
    photo, depth = np.ones((25, 32, 3), np.float32), np.ones((25, 32), np.float32)
    with pytest.raises(InputError, match="multiples of 4"):
        render(pipeline, photo, depth)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ScheduleSettings(steps=0),
        lambda: ScheduleSettings(sigma_min=0.0),
        lambda: PathSettings(frames=1),
        lambda: RenderSettings(decode_chunk=0),
        lambda: override(SETTINGS, steps=-2),
    ],
)
def test_settings_refuse_what_makes_no_sense(make):
    with pytest.raises(InputError):
        make()


@pytest.mark.full
def test_tiles_can_be_asked_for(pipeline):
    settings = RenderSettings(
        schedule=ScheduleSettings(steps=1), guidance=GuidanceSettings(method="post", tiles=True, half=True)
    )
    assert np.isfinite(render(pipeline, *scene(), settings=settings).frames).all()


@pytest.mark.full
def test_every_pixel_may_have_its_own_distance_and_every_solver_renders(pipeline):
    photo, depth = scene()
    settings = replace(SETTINGS, trust=TrustSettings(distance="pixels"), solver=SolverSettings("adams3"))
    result = render(pipeline, photo, depth, settings=settings)
    assert np.isfinite(result.frames).all()
    assert result.conditions.distance.shape == (FRAMES, HEIGHT, WIDTH)
    assert result.trust.shape == (2, FRAMES)
    np.testing.assert_array_equal(result.trust[:, 0], 1)
    assert (result.trust[-1, 1:] < 1).all()
