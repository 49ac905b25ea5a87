"""Similarity of crops, on an encoder that looks at pictures and on ones that do not."""

import itertools

import jax
import jax.numpy as jnp
import pytest

from nvs_jax.checks import check_embeddings
from nvs_jax.checks.embeddings import two_crops
from nvs_jax.checks.pictures import unrelated_pictures
from tests.checks.toys import thumbnail


@pytest.fixture(scope="module")
def pictures():
    return unrelated_pictures(24, 32)


def failed(embed, pictures):
    return [outcome.name for outcome in check_embeddings(embed, pictures) if not outcome.ok]


def test_an_encoder_that_looks_passes(pictures):
    assert failed(thumbnail, pictures) == []


def test_one_that_sees_nothing_fails(pictures):
    assert len(failed(lambda picture: jnp.ones(8), pictures)) == 2


def test_one_that_hardly_sees_fails(pictures):
    """As a network with random weights: one large common part."""
    assert len(failed(lambda picture: jnp.append(0.1 * thumbnail(picture), 5.0), pictures)) == 2


def test_one_that_guesses_fails(pictures):
    keys = itertools.count()
    names = failed(lambda picture: jax.random.normal(jax.random.key(next(keys)), (1000,)), pictures)
    assert names == ["image encoder: crops of one picture closer than unrelated ones, by"]


def test_nan_fails(pictures):
    assert len(failed(lambda picture: thumbnail(picture).at[0].set(jnp.nan), pictures)) == 3


def test_crops_are_the_corners():
    picture = jnp.arange(8 * 12 * 3.0).reshape(8, 12, 3)
    upper, lower = two_crops(picture)
    assert upper.shape == lower.shape == (6, 9, 3)
    assert (upper[0, 0] == picture[0, 0]).all()
    assert (lower[-1, -1] == picture[-1, -1]).all()
