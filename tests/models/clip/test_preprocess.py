"""The image encoder's preprocessing against diffusers' resize and transformers' normalisation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from diffusers.pipelines.stable_video_diffusion.pipeline_stable_video_diffusion import _resize_with_antialiasing
from transformers import CLIPImageProcessor

from nvs_jax.errors import InputError
from nvs_jax.models.clip.preprocess import CLIP_MEAN, CLIP_STD, preprocess, resize_matrix
from tests.models.comparing import relative_error
from tests.models.svd.torch_parity import channels_first, channels_last


def reference(picture: np.ndarray, image_size: int) -> np.ndarray:
    pixels = channels_first(picture)[None] * 2 - 1
    resized = (_resize_with_antialiasing(pixels, (image_size, image_size)) + 1) / 2
    processor = CLIPImageProcessor(do_rescale=False, do_resize=False, do_center_crop=False, do_convert_rgb=False)
    return channels_last(processor(images=resized[0], return_tensors="pt").pixel_values[0])


@pytest.mark.parametrize(
    ("size", "image_size"),
    [
        ((576, 1024), 224),  # the release's
        ((224, 224), 224),  # unchanged
        ((100, 60), 224),  # grows both ways
        ((150, 700), 224),  # grows one way, shrinks the other
        ((977, 331), 224),  # factors that are no round numbers
        ((2, 3), 224),  # the smallest
        ((1200, 900), 336),  # a larger encoder
        ((450, 300), 28),  # strong blur
    ],
)
def test_agrees_with_diffusers(size: tuple[int, int], image_size: int) -> None:
    picture = np.random.default_rng(0).random((*size, 3), np.float32)
    pixels = preprocess(jnp.asarray(picture), image_size)
    assert relative_error(pixels, reference(picture, image_size)) <= 1e-4  # rounded sample positions, on white noise
    assert relative_error(pixels, reference(picture.astype(np.float64), image_size)) <= 2e-6


@pytest.mark.parametrize(("size", "image_size"), [((480, 832), 224), ((100, 60), 224), ((331, 97), 28)])
def test_plain_is_pytorchs_bicubic(size: tuple[int, int], image_size: int) -> None:
    picture = np.random.default_rng(0).random((*size, 3), np.float32)
    pixels = channels_first(picture.astype(np.float64))[None] * 2 - 1  # whose sample positions are not rounded
    resized = torch.nn.functional.interpolate(pixels, (image_size, image_size), mode="bicubic", align_corners=False)
    expected = (channels_last(resized[0]) / 2 + 0.5 - np.array(CLIP_MEAN)) / np.array(CLIP_STD)
    assert relative_error(preprocess(jnp.asarray(picture), image_size, plain=True), expected) <= 2e-6


def test_a_batch_is_its_pictures_one_by_one() -> None:
    pictures = jax.random.uniform(jax.random.key(0), (2, 3, 40, 50, 3))
    together = preprocess(pictures, 28)
    assert together.shape == (2, 3, 28, 28, 3)
    np.testing.assert_allclose(together[1, 2], preprocess(pictures[1, 2], 28), atol=1e-6)


@pytest.mark.parametrize(("size", "new_size"), [(1024, 224), (60, 224), (224, 224), (2, 7)])
def test_rows_sum_to_one(size: int, new_size: int) -> None:
    np.testing.assert_allclose(resize_matrix(size, new_size).sum(1), 1, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 30), (30, 1)])
def test_refuses_a_line_of_pixels(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="one pixel high or wide"):
        preprocess(jnp.zeros((*size, 3)), 224)
