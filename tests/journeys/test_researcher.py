"""A researcher, in the words of docs/research.md and docs/gradients.md: the page as a program of its own, then a camera
path found by the gradient of a loss on frames, through warp and networks.
"""

import os
import subprocess
import sys
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import nvs_jax
from nvs_jax.diffusion import solve
from nvs_jax.geometry import orbit
from nvs_jax.media import write_picture
from nvs_jax.scenes import default_view, random_scene, render_path
from nvs_jax.settings import WarpSettings
from nvs_jax.steering import from_photo
from tests.pages import program

FRAMES = 4


@pytest.mark.full
def test_the_page_is_a_program_that_runs_on_the_packages_own_model(tmp_path):
    pose, K = default_view(96, 128)
    view = render_path(random_scene(5), pose[None], K, 96, 128)
    write_picture(tmp_path / "photo.png", np.asarray(view.picture[0]))
    np.save(tmp_path / "depth.npy", 15 * np.asarray(view.depth[0]))  # the page's path is 60 from its middle
    code = program("research.md").replace('"svd-xt", dtype="bfloat16"', '"demo"')
    code = code.replace("frames=25", "frames=8").replace("steps=25", "steps=3")
    shown = "print(frames.shape, videos.shape, each.shape, seen['chosen'].shape, float(jnp.abs(video.frames).max()))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{shown}"],
        cwd=tmp_path, env=os.environ | {"XLA_FLAGS": ""}, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split(") ")[:3] == ["(1, 8, 96, 128, 3", "(3, 8, 96, 128, 3", "(3, 1, 8, 24, 32, 16"]


@pytest.mark.full
def test_a_path_is_found_through_warp_and_networks():
    """The radius of an orbit, from the frames of a render whose radius is a fifth larger."""
    pipe, (pose, K) = nvs_jax.load("demo"), default_view(48, 64)
    view = render_path(random_scene(3), pose[None], K, 48, 64)
    settings = replace(pipe.settings, warp=WarpSettings(splat="soft"))
    settings = replace(settings, schedule=replace(settings.schedule, steps=2))
    settings = replace(settings, guidance=replace(settings.guidance, estimate="smooth"))

    def rendered(log_radius):
        path = orbit(pose[2, 3] * jnp.exp(log_radius), pose[2, 3], 5.0, FRAMES)
        known = from_photo(view.picture[0], view.depth[0], K, path, settings)
        return pipe.decode(solve(pipe.prepare(known, 0, settings)), settings)

    truth = jax.jit(rendered)(jnp.log(1.2))
    loss = jax.jit(jax.value_and_grad(lambda x: jnp.mean((rendered(x) - truth) ** 2)))
    optimiser = optax.adam(optax.cosine_decay_schedule(0.03, 30))
    x, state, losses = jnp.array(0.0), optimiser.init(jnp.array(0.0)), []
    for _ in range(30):
        value, slope = loss(x)
        losses.append(float(value))
        update, state = optimiser.update(slope, state)
        x = jnp.asarray(optax.apply_updates(x, update))
    assert abs(float(jnp.exp(x)) / 1.2 - 1) < 0.05, (x, losses)
    assert losses[-1] < 0.1 * losses[0]
