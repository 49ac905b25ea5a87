"""Parts of one's own: taken as they are or made, and refused in one line where they do not meet their contracts."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import Blend, DirectGuidance, Euler, Heun, TabulatedTrust, Unguided, closed_form_trust
from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.diffusion.parts import own_guidance, own_solver, own_trust
from nvs_jax.errors import InputError
from nvs_jax.pytree import pytree

SHAPE = (2, 3, 4, 6, 2)
NOISE, DISTANCES = jnp.zeros(SHAPE), jnp.arange(3.0)
VIEWS = WarpedViews(jnp.ones((1, *SHAPE[1:])), jnp.zeros((1, *SHAPE[1:-1]), bool))


def blend(views):
    return DirectGuidance(Blend(views.target, views.hole))


@pytree
class Pull(Unguided):
    views: WarpedViews

    def estimate(self, x0, sigma, w, key):
        return x0 + w[:, None, None, None] * (self.views.target - x0)


@pytree
class Asking(Unguided):
    def correct(self, x, sigma, w, denoiser, key):
        return x - denoiser.probe(x, sigma) + 0 * jax.random.normal(key, x.shape)


def test_an_object_is_taken_as_it_is_and_what_is_a_function_or_a_class_is_called():
    for guidance in (Unguided(), Asking()):
        assert own_guidance(guidance, VIEWS, NOISE) is guidance
    assert isinstance(own_guidance(blend, VIEWS, NOISE), DirectGuidance)
    made = own_guidance(Pull, VIEWS, NOISE)
    assert isinstance(made, Pull)
    assert made.views is VIEWS
    trust = closed_form_trust(DISTANCES, 80.0)
    assert own_trust(trust, DISTANCES, NOISE) is trust
    made = own_trust(functools.partial(closed_form_trust, sigma_scale=80.0), DISTANCES, NOISE)
    np.testing.assert_array_equal(made(jnp.float32(3.0)), trust(jnp.float32(3.0)))
    partial = jax.tree_util.Partial(lambda w, sigma: w, jnp.ones(SHAPE[1:-1]))
    assert own_trust(partial, DISTANCES, NOISE) is partial
    for solver in (Euler(), Heun()):
        assert own_solver(solver, NOISE) is solver


class Old(Unguided):
    def estimate(self, x0, sigma, w):
        return x0


@pytree
class Narrow(Unguided):
    def estimate(self, x0, sigma, w, key):
        return x0[:, :1]


@pytree
class Titled(Unguided):
    title: str = "mine"


@pytree
class Grey:
    def estimate(self, x0, sigma, w, key):
        return x0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Grey(), "Grey is no object with `correct` and `estimate`"),
        (lambda views: 3, "int is no object with `correct` and `estimate`"),
        (Titled(), r"Titled has str among its fields: .*static\(\)"),
        (type("Plain", (Unguided,), {"__hash__": None})(), "Plain is no pytree: decorate its class"),
        (pytree(type("Former", (Old,), {}))(), r"estimate\(x0, sigma, w, key\) of Former fails: .*4 positional"),
        (Narrow(), r"of Narrow gives float32\[2, 1, 4, 6, 2\], not float32\[2, 3, 4, 6, 2\]"),
    ],
)
def test_a_guidance_that_does_not_meet_its_contract_is_refused(given, message):
    with pytest.raises(InputError, match=rf"^guidance: .*{message}") as refused:
        own_guidance(given, VIEWS, NOISE)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (TabulatedTrust(jnp.ones(2), jnp.ones((2, 5))), r"TabulatedTrust gives \[5\]: .* \[3\], .* \[3, 4, 6\]"),
        (lambda distances: 0.5, "float is no object with `__call__`"),
        (jax.tree_util.Partial(lambda: jnp.ones(3)), "Partial cannot be called with sigma"),
    ],
)
def test_a_trust_that_does_not_meet_its_contract_is_refused(given, message):
    with pytest.raises(InputError, match=f"^trust: {message}") as refused:
        own_trust(given, DISTANCES, NOISE)
    assert "\n" not in str(refused.value)


class Growing(Euler):
    def step(self, x, memory, sigma, sigma_next, estimate, key):
        return estimate(x, sigma), (x,)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Euler, "Euler is no object with `init` and `step`"),
        ("euler", "str is no object with `init` and `step`"),
        (Growing(), r"of Growing gives \(float32\[2, .*\], \(float32\[.*\],\)\), not \(float32\[.*\], \(\)\)"),
    ],
)
def test_a_solver_that_does_not_meet_its_contract_is_refused(given, message):
    with pytest.raises(InputError, match=f"^solver: .*{message}") as refused:
        own_solver(given, NOISE)
    assert "\n" not in str(refused.value)


def test_a_solver_must_be_hashable():
    loose = type("Loose", (Euler,), {"__hash__": None})()
    with pytest.raises(InputError, match="Loose cannot be hashed: make it a frozen dataclass"):
        own_solver(loose, NOISE)
