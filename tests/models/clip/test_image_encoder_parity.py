"""The image encoder on its published layout's files, and against the embedding of the release's run."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from transformers import CLIPVisionModelWithProjection

from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.clip.image_encoder import ImageEncoder
from nvs_jax.models.clip.preprocess import preprocess
from nvs_jax.models.svd.config import read_config
from nvs_jax.models.weights import Weights, bind
from tests.models.comparing import relative_error
from tests.models.svd.torch_parity import channels_first, from_torch


@pytest.fixture(scope="module")
def theirs(parity: Path) -> CLIPVisionModelWithProjection:
    return CLIPVisionModelWithProjection.from_pretrained(parity / "svd-tiny/image_encoder").requires_grad_(False)


@pytest.fixture(scope="module")
def config(parity: Path) -> ImageEncoderConfig:
    return read_config(ImageEncoderConfig, parity / "svd-tiny/image_encoder/config.json")


@pytest.fixture(scope="module")
def weights(theirs: CLIPVisionModelWithProjection, config: ImageEncoderConfig) -> Weights:
    return from_torch(theirs, ImageEncoder(config))


def test_agrees_with_transformers(theirs, config: ImageEncoderConfig, weights: Weights) -> None:
    pixels = np.random.default_rng(0).normal(size=(2, 224, 224, 3)).astype(np.float32)
    embedding = jax.jit(lambda weights, x: bind(ImageEncoder(config), weights)(x))(weights, pixels)
    assert relative_error(embedding, theirs(channels_first(pixels)).image_embeds) <= 1e-4


def test_embedding_of_a_photo(parity: Path, config: ImageEncoderConfig, weights: Weights) -> None:
    with Image.open(parity.parent / "data/video/images/frame_000000.png") as photo:
        picture = jnp.asarray(photo, jnp.float32) / 255
    expected = np.load(parity / "end_to_end/inputs.npz")["image_embedding"][0]
    embedding = bind(ImageEncoder(config), weights)(preprocess(picture, config.image_size)[None])
    assert relative_error(embedding, expected) <= 1e-4
