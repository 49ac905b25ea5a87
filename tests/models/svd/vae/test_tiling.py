"""Tiles of the VAE: where they lie, how they are blended, and how far the result is from that of whole pictures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.errors import InputError
from nvs_jax.models.svd.config import VAEConfig
from nvs_jax.models.svd.vae.network import VAE, decode_chunks, encode_chunks
from nvs_jax.models.svd.vae.tiling import Tiles, in_tiles, tile_starts, tile_weights, tiles_of_pixels
from nvs_jax.models.weights import bind, random_weights

CONFIG = VAEConfig(down_block_types=("DownEncoderBlock2D",) * 2, block_out_channels=(32, 64), layers_per_block=1)
ROWS, COLUMNS = 16, 24


@pytest.fixture(scope="module")
def weights():
    return random_weights(VAE(CONFIG), 0)


def latents(scale=1):
    """Two frames of noise: every tile has about the same statistics, as large tiles of a picture have."""
    return np.random.default_rng(0).normal(size=(1, 2, scale * ROWS, scale * COLUMNS, 4)).astype(np.float32)


def pictures(scale=1):
    size = (2, 2 * scale * ROWS, 2 * scale * COLUMNS, 3)
    return np.random.default_rng(1).uniform(-1, 1, size=size).astype(np.float32)


def decode(weights, latents, tiles=None, chunk=8):
    return jax.jit(lambda weights, x: decode_chunks(bind(VAE(CONFIG), weights), x, chunk, tiles))(weights, latents)


def encode(weights, pictures, tiles=None):
    return jax.jit(lambda weights, x: encode_chunks(bind(VAE(CONFIG), weights), x, 1, tiles))(weights, pictures)


sizes = st.tuples(st.integers(1, 60), st.integers(1, 40)).flatmap(
    lambda pair: st.tuples(st.just(pair[0]), st.just(pair[1]), st.integers(0, pair[1] - 1))
)


@given(sizes)
def test_tiles_cover_everything_and_their_weights_sum_to_one(case):
    size, tile, overlap = case
    tile = min(tile, size)
    overlap = min(overlap, tile - 1)
    starts = tile_starts(size, tile, overlap)
    assert starts[0] == 0 and starts[-1] == size - tile
    assert (np.diff(starts) <= tile - overlap).all()
    total = np.zeros(size)
    for start, weight in zip(starts, tile_weights(starts, size, tile, overlap), strict=True):
        assert (weight > 0).all()
        total[start : start + tile] += weight
    np.testing.assert_allclose(total, 1, rtol=1e-12)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(0, 8))
@settings(max_examples=8)
def test_a_function_of_single_cells_does_not_mind_tiles(height, width, rows, columns, overlap):
    overlap = min(overlap, rows - 1, columns - 1)
    x = jnp.asarray(np.random.default_rng(0).normal(size=(1, 2, height, width, 3)), jnp.float32)

    def enlarge(part):
        return jnp.repeat(jnp.repeat(jnp.sin(part), 2, 2), 2, 3)

    # Rounding of two or four weights and of their sum.
    np.testing.assert_allclose(in_tiles(enlarge, x, (rows, columns), overlap), enlarge(x), atol=1e-6)


def test_one_tile_is_exact(weights):
    for tiles in (Tiles(ROWS, COLUMNS, 4), Tiles(2 * ROWS, 2 * COLUMNS, 4)):
        np.testing.assert_array_equal(decode(weights, latents(), tiles), decode(weights, latents()))
        np.testing.assert_array_equal(encode(weights, pictures(), tiles), encode(weights, pictures()))


@pytest.mark.full
@pytest.mark.parametrize(("function", "make", "columns"), [(decode, latents, 3), (encode, pictures, 2)])
def test_tiles_come_near_to_whole_pictures(function, make, columns, weights):
    """They cannot be equal: group norm and the middle block's attention see a tile, not the picture.

    Measured, over the standard deviation: 0.13 (decoding) and 0.16 (encoding) with tiles of 12x16 cells, 0.056 and
    0.070 with tiles of 24x32. At the worst column, near a seam, it is at most 1.8 times as much.
    """
    errors = []
    for scale, bound in ((1, 0.2), (2, 0.1)):
        x, tiles = make(scale), Tiles(12 * scale, 16 * scale, 4 * scale)
        whole = np.asarray(function(weights, x))
        error = np.asarray(function(weights, x, tiles)) - whole
        others = tuple(axis for axis in range(error.ndim) if axis != columns)
        along = np.sqrt((error**2).mean(others)) / whole.std()
        errors.append(float(np.sqrt((along**2).mean())))
        assert 1e-3 < errors[-1] < bound
        assert along.max() < 2 * errors[-1]
    assert errors[1] < 0.6 * errors[0]


def test_chunks_are_temporal_groups(weights):
    """Exactly: a chunk is what `decode` gives for its frames alone."""
    x = np.concatenate([latents(), latents()[:, :1] + 1], axis=1)[:, :, :8, :8]
    apart = jax.jit(lambda weights, x: bind(VAE(CONFIG), weights).decode(x))
    expected = [apart(weights, x[:, :2]), apart(weights, x[:, 2:])]
    np.testing.assert_array_equal(decode(weights, x, chunk=2), np.concatenate(expected, axis=1))


def test_any_number_of_tiles_is_one_loop(weights):
    """The program does not grow with the tiles."""
    sizes = []
    for columns in (24, 48):
        x = jax.ShapeDtypeStruct((1, 2, ROWS, columns, 4), jnp.float32)
        function = jax.jit(lambda x: decode_chunks(bind(VAE(CONFIG), weights), x, 8, Tiles(16, 12, 4)))
        sizes.append(len(function.lower(x).as_text().splitlines()))
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize(("size", "overlap"), [((20, 32), 8), ((32, 20), 8), ((32, 32), 4)])
def test_refuses_parts_of_cells(size, overlap):
    with pytest.raises(InputError, match="multiples of 8"):
        tiles_of_pixels(size, overlap, 8)


def test_refuses_an_overlap_as_large_as_a_tile():
    with pytest.raises(InputError, match="cannot overlap by 4"):
        tiles_of_pixels((64, 32), 32, 8)
