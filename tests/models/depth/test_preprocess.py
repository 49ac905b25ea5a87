"""Preprocessing against transformers' `DPTImageProcessorPil`, the one of its two that needs no torchvision."""

import numpy as np
import pytest
from transformers import DPTImageProcessorPil

from nvs_jax.errors import InputError
from nvs_jax.models.depth.preprocess import Preprocessing, input_size, parse_preprocessing, preprocess
from tests.models.depth.folders import PREPROCESSING
from tests.models.depth.published import processor

SHAPES = [(518, 518), (480, 640), (97, 211), (1200, 700), (31, 400), (700, 1400)]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "{}x{}".format(*shape))
@pytest.mark.parametrize("stretched", [False, True])
def test_it_agrees_with_transformers(shape: tuple[int, int], stretched: bool):
    changes = {"keep_aspect_ratio": False, "size": {"height": 140, "width": 70}} if stretched else {}
    published = PREPROCESSING | changes
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    theirs = processor(**changes)(picture, return_tensors="np")["pixel_values"][0]
    ours = preprocess(picture / np.float32(255), parse_preprocessing(published, ""))
    assert ours.shape == (*theirs.shape[1:], 3) and ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs.transpose(1, 2, 0), rtol=0, atol=1e-6)


def test_the_defaults_are_those_of_depth_anything_v2():
    assert parse_preprocessing(PREPROCESSING, "") == Preprocessing()


def test_missing_keys_have_the_defaults_of_the_published_class():
    theirs, ours = DPTImageProcessorPil(), parse_preprocessing({}, "")
    assert (ours.height, ours.width) == (theirs.size["height"], theirs.size["width"])
    assert ours.keep_aspect_ratio == theirs.keep_aspect_ratio
    assert ours.ensure_multiple_of == theirs.ensure_multiple_of
    assert ours.resample == theirs.resample
    assert (ours.image_mean, ours.image_std) == (tuple(theirs.image_mean), tuple(theirs.image_std))


def test_a_ribbon_keeps_one_patch_and_a_longer_one_is_refused():
    assert input_size(5, 300) == (14, 518)
    with pytest.raises(InputError, match="too long and narrow"):
        input_size(518, 60_000)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"do_resize": False}, "do_resize is false"),
        ({"do_pad": True}, "do_pad is true"),
        ({"rescale_factor": 1.0}, "rescale_factor must be 1/255"),
        ({"rescale_factor": "small"}, "rescale_factor must be a finite number"),
        ({"resample": 17}, "resample is 17"),
        ({"size": {"shortest_edge": 518}}, "size must be from 1 to 4096"),
        ({"size": {"height": 518, "width": 10**9}}, "size must be from 1 to 4096"),
        ({"ensure_multiple_of": 0}, "ensure_multiple_of must be"),
        ({"image_mean": [0.5]}, "image_mean must be three numbers"),
        ({"image_std": [0.2, 0.2, 0]}, "image_std must be a finite number other than 0"),
    ],
)
def test_what_cannot_be_expressed_is_named(changed: dict, said: str):
    with pytest.raises(InputError, match=said):
        parse_preprocessing(PREPROCESSING | changed, "here")
