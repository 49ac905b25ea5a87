"""Gradients through the whole scan: right, and in memory that grows like the square root of its length."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import (
    Blend,
    Churn,
    Coefficients,
    DirectGuidance,
    DPMSolverPP2M,
    Euler,
    ExponentialAdams,
    Heun,
    PosteriorGuidance,
    SmoothSelect,
    Unguided,
    closed_form_trust,
    karras_sigmas,
    sample,
)
from nvs_jax.diffusion.checkpointing import checkpointed_scan
from nvs_jax.geometry import forward_warp, intrinsics_matrix
from nvs_jax.geometry.fusion import pose_distance_to_nearest
from nvs_jax.pytree import pytree
from nvs_jax.settings import WarpSettings
from tests.diffusion.toys import GaussianDenoiser

SHAPE = (1, 3, 4, 6, 3)


@pytest.mark.parametrize("steps", [1, 2, 7, 25, 30])
def test_scan_and_gradient_are_those_of_a_plain_scan(steps):
    inputs = (jnp.linspace(0.5, 1.5, steps), jnp.linspace(-1, 1, steps))

    def body(x, inputs):
        return jnp.sin(inputs[0] * x) + inputs[1], {"square": x**2}

    def result(scan):
        def loss(x, inputs):
            x, rows = scan(body, x, inputs)
            return x.sum() + (rows["square"] * inputs[1][:, None]).sum(), rows

        return jax.value_and_grad(loss, (0, 1), has_aux=True)(jnp.ones(3), inputs)

    checkpointed = result(checkpointed_scan)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6), checkpointed, result(jax.lax.scan))


def worst_error(loss, arguments):
    """The gradient against central differences along a random direction in each argument, relative to the slope."""
    gradients = jax.jit(jax.grad(loss, argnums=tuple(range(len(arguments)))))(*arguments)
    value, rng, h, errors = jax.jit(loss), np.random.default_rng(0), 1e-6, []
    for i, argument in enumerate(arguments):
        direction = jax.tree.map(lambda a: jnp.asarray(rng.standard_normal(np.shape(a))) * jnp.abs(a), argument)
        slope = sum(jax.tree.leaves(jax.tree.map(jnp.vdot, gradients[i], direction)))
        above, below = (
            value(*arguments[:i], jax.tree.map(lambda a, d, s=s: a + s * d, argument, direction), *arguments[i + 1 :])
            for s in (h, -h)
        )
        errors.append(abs(float((above - below) / (2 * h) / slope - 1)))
    return max(errors)


GUIDED = {
    "blend": lambda target, hole: DirectGuidance(Blend(target, hole)),
    "smooth": lambda target, hole: DirectGuidance(SmoothSelect(target, hole, 0.1, 0.2)),
    "post": lambda target, hole: PosteriorGuidance(Blend(target, hole), 0.05, "full"),
    "post-skip": lambda target, hole: PosteriorGuidance(SmoothSelect(target, hole, 0.1, 0.2), 0.05),
}


@pytest.mark.parametrize(
    ("guidance", "solver"),
    [
        ("blend", Euler()),
        ("smooth", Heun()),
        ("blend", Churn()),
        ("post", DPMSolverPP2M()),
        ("post-skip", ExponentialAdams()),
    ],
    ids=repr,
)
def test_gradients_in_trust_views_and_noise(guidance, solver):
    with jax.enable_x64(True):
        rng = np.random.default_rng(1)
        mean, target, noise = (jnp.asarray(rng.standard_normal(SHAPE)) for _ in range(3))
        hole = jnp.asarray(rng.random(SHAPE[:-1]) < 0.2)

        def loss(v, distances, target, noise):
            trust = closed_form_trust(distances, 80.0, Coefficients(*v))
            rule = GUIDED[guidance](target, hole)
            out = sample(GaussianDenoiser(mean), rule, trust, noise, karras_sigmas(6, 80.0), solver, checkpoint=True)
            return jnp.sin(out).sum()

        v = tuple(map(jnp.float64, (0.7, 90.0, 9.0)))
        assert worst_error(loss, (v, jnp.array([0.0, 0.6, 1.0]), target, noise)) <= 1e-5


def test_gradients_in_poses_and_depth():
    """From the picture to the result: warp, distances, trust and eight steps."""
    with jax.enable_x64(True):
        rng = np.random.default_rng(2)
        picture, depth = jnp.asarray(rng.random((8, 10, 3))), jnp.asarray(3 + rng.random((8, 10)))
        noise = jnp.asarray(rng.standard_normal((1, 3, 8, 10, 3)))
        intrinsics = intrinsics_matrix(9.0, 8, 10).astype(jnp.float64)
        shifts = jnp.array([[0.0, 0.0, 0.0], [0.31, 0.17, 0.05], [0.62, 0.4, -0.13]])
        settings = WarpSettings(splat="bilinear", quantize=False, max_tilt=None)

        def loss(depth, shifts, noise):
            poses = jnp.eye(4).at[:3, 3].set(0) + jnp.zeros((3, 4, 4)).at[:, :3, 3].set(shifts)
            warp = forward_warp(picture, depth, intrinsics, poses[0], poses[1:], settings)
            target = jnp.concatenate([picture[None], warp.pictures])[None]
            hole = jnp.concatenate([jnp.zeros_like(warp.hole[:1]), warp.hole])[None]
            away = pose_distance_to_nearest(jax.lax.stop_gradient(poses[:1]), poses[1:])
            trust = closed_form_trust(jnp.append(0.0, away), 80.0, Coefficients(0.7, 90.0, 9.0))
            guidance = DirectGuidance(Blend(target, hole))
            denoiser = GaussianDenoiser(jnp.zeros(noise.shape))
            out = sample(denoiser, guidance, trust, noise, karras_sigmas(8, 80.0), checkpoint=True)
            return jnp.sin(3 * out).sum()

        assert worst_error(loss, (depth, shifts, noise)) <= 1e-5


@pytree
class Bounded:
    """Not linear, so that its gradient needs the latents of every step."""

    def __call__(self, x, sigma):
        return jnp.tanh(x / (1 + sigma))

    probe = __call__

    def window(self, window):
        return self


def gradient_memory(steps, checkpoint, shape=(1, 4, 32, 32, 4)):
    """Bytes of temporary memory of the compiled gradient in the noise."""
    hole = jnp.zeros(shape[:-1], bool)

    def loss(noise):
        guidance = DirectGuidance(Blend(jnp.ones(shape), hole))
        trust = closed_form_trust(jnp.arange(4.0), 80.0)
        return sample(Bounded(), guidance, trust, noise, karras_sigmas(steps, 80.0), checkpoint=checkpoint).sum()

    program = jax.jit(jax.grad(loss)).lower(jax.ShapeDtypeStruct(shape, jnp.float32)).compile()
    memory = program.memory_analysis()
    assert memory is not None
    return memory.temp_size_in_bytes


def test_memory_grows_no_faster_than_the_square_root_of_the_steps():
    few, many = gradient_memory(25, True), gradient_memory(100, True)
    state = 4 * 4 * 32 * 32 * 4  # bytes of the latents
    assert 10 * state < few
    assert many / few < 2.1
    assert many < gradient_memory(100, False) / 3


def test_checkpointing_changes_no_value():
    denoiser, noise = GaussianDenoiser(jnp.ones(SHAPE)), jax.random.normal(jax.random.key(0), SHAPE)
    arguments = denoiser, Unguided(), closed_form_trust(jnp.arange(3.0), 700.0), noise, karras_sigmas(7)
    np.testing.assert_allclose(sample(*arguments), sample(*arguments, checkpoint=True), rtol=1e-5, atol=1e-5)
