"""What takes minutes of a tiny Wan: killed at random moments, on eight devices, gradients through all of it."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.cli import main
from nvs_jax.diffusion.problem import solve
from nvs_jax.geometry import intrinsics_matrix, orbit
from nvs_jax.models.networks import Weightless
from nvs_jax.models.wan.model import Wan
from nvs_jax.pipeline import Pipeline
from nvs_jax.settings import (
    ConditioningSettings,
    GuidanceSettings,
    RenderSettings,
    ScheduleSettings,
    TrustSettings,
    WarpSettings,
)
from nvs_jax.steering.conditions import from_photo
from tests.models.wan.test_commands import frames, single
from tests.models.wan.tiny import FRAMES, Kind, configs_of, tiny_wan, write_tiny_checkpoint
from tests.sharded import run_processes
from tests.tiny import HEIGHT, WIDTH, scene, write_scene

ROOT = Path(__file__).parents[3]
FEW = ("--path.frames", str(FRAMES))
# Of the largest latent: sums in another order, in float32.
TOLERANCE = 1e-5


@pytest.mark.full
def test_eight_devices_give_the_numbers_of_one(tmp_path):
    run_processes(["tests.models.wan.on_mesh", str(tmp_path / "found.json")])
    found = json.loads((tmp_path / "found.json").read_text())
    assert len(found) == 9
    assert max(found.values()) <= TOLERANCE, found


@pytest.mark.full
def test_killed_twice_it_ends_with_the_same_bytes(tmp_path):
    inputs, weights = write_scene(tmp_path), write_tiny_checkpoint(tmp_path / "checkpoint")
    main(single(inputs, weights, *FEW, out="out0"))
    spec = {"arguments": single(inputs, weights, *FEW, "--resume"), "kills": 2, "seed": 3}
    command = [sys.executable, "-m", "tests.killing", json.dumps(spec)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True)
    told = json.loads(ran.stdout.splitlines()[-1])
    assert told["kills"] == 2
    for index in range(1, told["results"]):
        np.testing.assert_array_equal(frames(inputs / f"out{index}"), frames(inputs / "out0"))


def wide(kind: Kind) -> Pipeline:
    """In float64: differences of float32 say little of a slope through all networks."""
    networks = tiny_wan(kind).networks
    held = {
        component: {name: jnp.asarray(value, jnp.float64) for name, value in networks.weights(component).items()}
        for component in configs_of(kind)
    }
    return Pipeline(Wan(Weightless(configs_of(kind), held)))


def settings(method: Literal["dgs", "post"]) -> RenderSettings:
    return RenderSettings(
        schedule=ScheduleSettings(kind="list", levels=(5.0, 0.5)),
        conditioning=ConditioningSettings(guidance_scale=(2.0, 2.0)),
        trust=TrustSettings(v1=0.7, v2=9.0, v3=9.0),
        guidance=GuidanceSettings(method, estimate="blend", gradient="full"),
        warp=WarpSettings(splat="bilinear", max_tilt=None, quantize=False),
    )


def wavy(latents: jax.Array) -> jax.Array:
    return jnp.sin(3 * latents).sum()


def compare(loss: Callable[[jax.Array], jax.Array], at: jax.Array, step: float) -> None:
    """The gradient with differences."""
    evaluate = jax.jit(jax.value_and_grad(loss))
    _, gradient = evaluate(at)
    differences = [(evaluate(at + one)[0] - evaluate(at - one)[0]) / (2 * step) for one in step * jnp.eye(len(at))]
    assert np.abs(gradient).min() > 1e-3
    np.testing.assert_allclose(gradient, differences, rtol=1e-6)


@pytest.mark.full
@pytest.mark.parametrize("kind", ["text", "vace"])
def test_a_loss_on_latents_has_the_gradient_of_finite_differences(kind: Kind):
    """Of the radius of the path, and of how much of a direction is added to the depth."""
    picture, depth = scene()
    rng = np.random.default_rng(3)
    with jax.enable_x64(True):
        pipeline = wide(kind)
        depth = jnp.asarray(depth + rng.random(depth.shape), jnp.float64)
        deeper = jnp.asarray(rng.standard_normal(depth.shape))
        K = intrinsics_matrix(20.3, HEIGHT, WIDTH).astype(jnp.float64)

        def loss(at: jax.Array) -> jax.Array:
            path = orbit(at[0], at[0], 4.0, FRAMES)
            known = from_photo(jnp.asarray(picture, jnp.float64), depth + at[1] * deeper, K, path, settings("dgs"))
            return wavy(solve(pipeline.prepare(known, jax.random.key(0), settings("dgs"))))

        # Over a longer step pixels move into holes and out.
        compare(loss, jnp.array([6.03, 0.02]), 1e-6)


@pytest.mark.full
@pytest.mark.parametrize("kind", ["text", "vace", "image"])
@pytest.mark.parametrize("method", ["dgs", "post"])
def test_a_loss_on_latents_has_the_gradient_of_differences_in_noise(kind: Kind, method: Literal["dgs", "post"]):
    """Through all steps of the sampler; those of post differentiate the network themselves."""
    picture, depth = scene()
    with jax.enable_x64(True):
        pipeline, path = wide(kind), orbit(6.0, 6.0, 4.0, FRAMES).astype(jnp.float64)
        K = intrinsics_matrix(20.3, HEIGHT, WIDTH).astype(jnp.float64)
        pair = jnp.asarray(picture, jnp.float64), jnp.asarray(depth, jnp.float64)
        problem = pipeline.prepare(from_photo(*pair, K, path, settings(method)), 0, settings(method))
        other = jnp.asarray(np.random.default_rng(4).standard_normal(problem.noise.shape))
        compare(lambda at: wavy(solve(replace(problem, noise=problem.noise + at[0] * other))), jnp.zeros(1), 1e-5)
