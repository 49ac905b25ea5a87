"""The round trip, on a codec that is sound and on the same one broken."""

import jax.numpy as jnp
import pytest

from nvs_jax.checks import check_codec
from nvs_jax.checks.codec import encode
from nvs_jax.pytree import pytree
from tests.checks.toys import BlockCodec, clip


def failures(codec):
    pictures = clip()
    return [outcome.name for outcome in check_codec(codec, pictures, encode(codec, pictures)) if not outcome.ok]


def test_a_sound_codec_passes():
    assert failures(BlockCodec()) == []


@pytree
class FlippedColours(BlockCodec):
    def decode(self, latents):
        return super().decode(latents)[..., ::-1]


@pytree
class RowsForColumns(BlockCodec):
    """A cell's pixels with their axes swapped, as by a kernel read in the wrong order."""

    def decode(self, latents):
        b, f, h, w, c = latents.shape
        return super().decode(latents.reshape(b, f, h, w, 2, 2, 3).swapaxes(4, 5).reshape(b, f, h, w, c))


@pytree
class MixedFrames(BlockCodec):
    def decode(self, latents):
        return super().decode(latents[:, ::-1])


@pytree
class Dark(BlockCodec):
    def decode(self, latents):
        return 0.5 * super().decode(latents)


@pytest.mark.parametrize("kind", [FlippedColours, RowsForColumns, MixedFrames, Dark])
def test_a_wrong_decoder_fails_the_round_trip(kind):
    assert failures(kind()) == ["VAE: round trip of a clip, worst frame"]


@pytree
class Scaled(BlockCodec):
    """Encodes and decodes rightly, but in units that no denoiser expects."""

    factor: float = 5.5

    def encode(self, pictures):
        return self.factor * super().encode(pictures)

    def decode(self, latents):
        return super().decode(latents / self.factor)


@pytest.mark.parametrize("factor", [5.5, 1 / 5.5])
def test_a_wrong_scale_is_seen(factor):
    assert failures(Scaled(factor=factor)) == ["VAE: size of the latents (root mean square)"]


@pytree
class NotANumber(BlockCodec):
    def decode(self, latents):
        return super().decode(latents).at[0, 0, 3, 4].set(jnp.nan)


def test_nan_is_seen():
    assert failures(NotANumber()) == [
        "VAE: decoded frames: values that are NaN or infinite",
        "VAE: round trip of a clip, worst frame",
    ]
