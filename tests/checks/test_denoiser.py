"""Errors of x0: of the exact denoiser of clips scattered about a known one, and of the same one broken."""

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.checks import check_denoiser
from nvs_jax.checks.denoiser import LIMITS, baseline_error
from tests.diffusion.toys import GaussianDenoiser

SHAPE = (1, 4, 12, 10, 4)
MEAN, OFFSET, NOISE = (jax.random.normal(key, SHAPE) for key in jax.random.split(jax.random.key(0), 3))


def outcomes(estimate, spread=0.3):
    return list(check_denoiser(estimate, MEAN + spread * OFFSET, NOISE))


def failed(estimate):
    return {outcome.name for outcome in outcomes(estimate) if not outcome.ok}


@settings(max_examples=15)
@given(st.floats(0.15, 0.5))
def test_the_exact_denoiser_passes(spread):
    assert all(outcome.ok for outcome in outcomes(GaussianDenoiser(MEAN, spread), spread))


def test_the_measured_share_is_that_of_the_theory():
    measured = {outcome.name: outcome.measured for outcome in outcomes(GaussianDenoiser(MEAN, 0.3))}
    for sigma in LIMITS:
        error = 0.3 * sigma / (0.3**2 + sigma**2) ** 0.5
        share = error / baseline_error(MEAN + 0.3 * OFFSET, NOISE, sigma)
        # 1920 numbers estimate a standard deviation to 1.6 %, and latents and noise are only about uncorrelated.
        assert measured[f"UNet: error of x0 at sigma {sigma:g}, share of the trivial"] == pytest.approx(share, rel=0.1)


def v_of(x, x0, sigma):
    return (x / (sigma**2 + 1) - x0) * (sigma**2 + 1) ** 0.5 / sigma


def with_v(change):
    """The exact denoiser, its v-prediction changed."""

    def estimate(x, sigma):
        v = v_of(x, GaussianDenoiser(MEAN, 0.3)(x, sigma), sigma)
        return x / (sigma**2 + 1) - sigma / (sigma**2 + 1) ** 0.5 * change(v)

    return estimate


BROKEN = {
    "nothing predicted": with_v(lambda v: 0 * v),
    "sign": with_v(lambda v: -v),
    "channels exchanged": with_v(lambda v: v[..., ::-1]),
    "rows for columns": with_v(lambda v: v[:, :, :10, :10].swapaxes(2, 3).repeat(2, 2)[:, :, :12]),
    "noise": with_v(lambda v: jax.random.normal(jax.random.key(7), v.shape)),
    "x itself": lambda x, sigma: x,
    "the picture whatever x is": lambda x, sigma: MEAN,
    "scale of sigma": lambda x, sigma: GaussianDenoiser(MEAN, 0.3)(x, 30 * sigma),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_denoiser_fails(name):
    assert failed(BROKEN[name])


def test_an_unconditional_denoiser_fails_where_only_the_picture_helps():
    """Of one that never saw the picture: the mean of all clips, here 0."""
    names = failed(GaussianDenoiser(jnp.zeros(SHAPE), 1.0))
    assert "UNet: error of x0 at sigma 80, share of the trivial" in names


def test_nan_is_seen():
    names = failed(with_v(lambda v: v.at[0, 0, 0, 0, 0].set(jnp.nan)))
    assert "UNet: x0 at sigma 80: values that are NaN or infinite" in names
    assert "UNet: error at a sigma over error at the next larger, worst" in names


def test_a_clip_of_nothing_is_no_success():
    """Latents that are all 0, and a denoiser that says so."""
    results = check_denoiser(lambda x, sigma: 0 * x, jnp.zeros(SHAPE), NOISE)
    assert not all(outcome.ok for outcome in results)
