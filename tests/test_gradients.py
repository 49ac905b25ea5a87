"""Gradients of a loss on the final latents, from poses, radius and depth through a whole pipeline."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from nvs_jax.diffusion.problem import solve
from nvs_jax.geometry import fill_holes, forward_warp, intrinsics_matrix, orbit
from nvs_jax.models.svd.model import SVD
from nvs_jax.models.svd.networks import SVDNetworks
from nvs_jax.pipeline import Pipeline
from nvs_jax.scenes import default_view, random_scene, render_path
from nvs_jax.settings import (
    ConditioningSettings,
    GuidanceSettings,
    RenderSettings,
    ScheduleSettings,
    TrustSettings,
    WarpSettings,
)
from nvs_jax.steering.conditions import from_photo
from tests.tiny import FRAMES, HEIGHT, WIDTH, scene, tiny_networks, tiny_pipeline

SETTINGS = RenderSettings(
    schedule=ScheduleSettings(steps=2, sigma_max=5.0, sigma_min=0.5),
    conditioning=ConditioningSettings(guidance_scale=(1.0, 1.0)),
    trust=TrustSettings(v1=0.7, v2=9.0, v3=9.0),
    guidance=GuidanceSettings(estimate="blend"),
    warp=WarpSettings(splat="bilinear", max_tilt=None, quantize=False),
)


@pytest.fixture
def pipeline():
    """In float64: differences of float32 say little of a slope through three networks."""
    networks = tiny_networks()
    assert isinstance(networks, SVDNetworks)
    with jax.enable_x64(True):
        wide = {
            name: {key: jnp.asarray(value, jnp.float64) for key, value in getattr(networks, name).items()}
            for name in ("unet", "vae", "image_encoder")
        }
        yield Pipeline(SVD(replace(networks, **wide)))


def make_loss(pipeline, settings):
    """Of (radius, how much of a direction is added to the depth, and to the poses)."""
    picture, depth = scene()
    rng = np.random.default_rng(3)
    depth = jnp.asarray(depth + rng.random(depth.shape), jnp.float64)
    deeper = jnp.asarray(rng.standard_normal(depth.shape))
    shifts = jnp.zeros((FRAMES, 4, 4)).at[1:, :3, 3].set(rng.standard_normal((FRAMES - 1, 3)))
    K = intrinsics_matrix(20.3, HEIGHT, WIDTH).astype(jnp.float64)

    def loss(at):
        path = orbit(at[0], at[0], 4.0, FRAMES) + at[2] * shifts
        known = from_photo(jnp.asarray(picture, jnp.float64), depth + at[1] * deeper, K, path, settings)
        return jnp.sin(3 * solve(pipeline.prepare(known, jax.random.key(0), settings))).sum()

    return jax.jit(jax.value_and_grad(loss))


AT, STEP = (6.03, 0.02, 0.01), 1e-6


def test_trust_has_a_gradient_in_the_path_through_prepare():
    """w itself: nothing else is compiled."""
    picture, depth = scene()
    K, pipeline = intrinsics_matrix(20.3, HEIGHT, WIDTH), tiny_pipeline()

    def w(radius_x, depth):
        path = orbit(radius_x, 6.0, 30.0, FRAMES)
        known = from_photo(picture, depth, K, path, SETTINGS)
        problem = pipeline.prepare(known, jax.random.key(0), SETTINGS)
        return problem.trust(jnp.float32(0.5))[1:].sum()

    evaluate = jax.jit(jax.value_and_grad(w, (0, 1)))
    depth = jnp.asarray(depth)
    _, (by_radius, by_depth) = evaluate(6.0, depth)
    above, below = (evaluate(6.0 + step, depth)[0] for step in (0.02, -0.02))
    assert float(by_radius) == pytest.approx(float(above - below) / 0.04, rel=0.01)
    assert abs(float(by_radius)) > 1e-3
    np.testing.assert_array_equal(by_depth, 0)  # distances of camera centres know nothing of it


def compare(pipeline, settings):
    """The gradient of the loss with differences, over a step so short that no pixel moves into or out of a hole."""
    loss, at = make_loss(pipeline, settings), jnp.array(AT)
    _, gradient = loss(at)
    differences = [(loss(at + step)[0] - loss(at - step)[0]) / (2 * STEP) for step in STEP * jnp.eye(3)]
    assert np.abs(gradient).min() > 1e-2
    np.testing.assert_allclose(gradient, differences, rtol=1e-6)


@pytest.mark.full
def test_a_loss_on_latents_has_the_gradient_of_finite_differences(pipeline):
    compare(pipeline, SETTINGS)


@pytest.mark.full
@pytest.mark.parametrize("estimate", ["smooth", "blend"])
def test_soft_edges_give_the_gradient_of_finite_differences(pipeline, estimate):
    """Between the kinks of a splat that is linear between pixels; docs/gradients.md has longer steps."""
    soft = replace(
        SETTINGS,
        warp=WarpSettings(splat="soft", depth_tolerance=0.3),
        guidance=GuidanceSettings(estimate=estimate, temperature=0.3),
    )
    compare(pipeline, soft)


@pytest.mark.full
def test_radius_and_scale_of_depth_are_found_through_the_warp():
    """A hundred steps from a fifth off, on a procedural scene: both to 5 %."""
    frames, height, width = 4, 48, 64
    pose, K = default_view(height, width)
    view = render_path(random_scene(3), pose[None], K, height, width)
    distance, settings = pose[2, 3], WarpSettings(splat="soft")

    def seen(at):
        radius, scale = jnp.exp(at)
        path = orbit(distance * radius, distance, 3.0, frames)
        warp = forward_warp(view.picture[0], scale * view.depth[0], K, path[0], path[1:], settings)
        return fill_holes(warp.pictures, warp.unseen)

    truth, rates = seen(jnp.zeros(2)), optax.linear_schedule(0.03, 0.0, 100)
    optimizer = optax.adam(rates)

    def step(state, _):
        at, memory = state
        loss, slope = jax.value_and_grad(lambda at: jnp.mean((seen(at) - truth) ** 2))(at)
        change, memory = optimizer.update(slope, memory)
        return (at + change, memory), loss

    begin = jnp.log(jnp.array([1.2, 0.8]))
    (found, _), losses = jax.lax.scan(step, (begin, optimizer.init(begin)), None, 100)
    assert losses[-1] < losses[0] / 100
    np.testing.assert_allclose(jnp.exp(found), 1, atol=0.05)


@pytest.mark.full
def test_rounded_pictures_leave_the_gradient_of_the_distances_alone(pipeline):
    """The default; and with distances that count frames, nothing at all."""
    rounded = replace(SETTINGS, warp=replace(SETTINGS.warp, quantize=True))
    _, gradient = make_loss(pipeline, rounded)(jnp.array(AT))
    assert gradient[1] == 0
    assert np.abs(gradient[2]) > 0
    counted = replace(rounded, trust=replace(SETTINGS.trust, distance="index"))
    _, gradient = make_loss(pipeline, counted)(jnp.array(AT))
    np.testing.assert_array_equal(gradient, 0)
