from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from scripts.sampler.options import Setting
from scripts.sampler.problems import make_problem, network, random_views

SETTING = Setting("dgs", 2, 4, 4, None, None)


def test_it_takes_a_model_of_other_latents_at_its_own_noise_levels():
    problem = make_problem("demo", SETTING, "heun", 3)
    assert problem.noise.shape == (1, 2, 4, 4, 16)
    assert jax.eval_shape(problem.denoiser, problem.noise, jnp.float32(1)).shape == problem.noise.shape
    net = network("demo", None)
    np.testing.assert_allclose(problem.sigmas[0], net.schedule.sigma_max, rtol=1e-5)
    assert len(problem.sigmas) == 4
    assert len(net.digest) == 16


def test_the_same_numbers_are_given_to_all():
    one, other = (make_problem(None, SETTING, solver, 2) for solver in ("euler", "unipc"))
    np.testing.assert_array_equal(one.noise, other.noise)
    noise, views = random_views(network(None, None).config, SETTING)
    np.testing.assert_array_equal(one.noise, noise)
    np.testing.assert_array_equal(jax.tree.leaves(one.guidance)[0], views)


def test_a_mesh_and_a_dtype_are_the_settings_own():
    problem: Any = make_problem(None, Setting("post-full", 2, 4, 4, "bfloat16", (1, 1, 1)), "euler", 1)
    assert dict(problem.mesh.shape) == {"branches": 1, "frames": 1, "rows": 1}
    assert problem.denoiser.weights["conv_in.weight"].dtype == jnp.bfloat16
    assert problem.guidance.gradient == "full"
