"""A tiny Wan as a checkpoint, and at full size as shapes."""

import jax.numpy as jnp
import numpy as np
import pytest

import nvs_jax
from nvs_jax.checkpoint import write_checkpoint
from nvs_jax.errors import InputError
from nvs_jax.models.contract import Lattice
from nvs_jax.models.wan.family import FAMILY
from nvs_jax.models.wan.prompts import PromptsConfig, parse_prompts, published_prompts
from nvs_jax.planning.programs import Model
from tests.models.wan.test_model import PATH, PIPELINE, K, settings
from tests.models.wan.tiny import CONFIGS, tiny_wan
from tests.tiny import scene


def test_a_checkpoint_renders_as_what_it_was_written_from_also_with_one_network_at_a_time(tmp_path):
    networks = tiny_wan().networks
    write_checkpoint(tmp_path / "wan", FAMILY, CONFIGS, lambda component: networks.weights(component).items())
    photo, depth = scene()
    frames = [
        pipeline.render(photo, depth=depth, path=PATH, intrinsics=K, settings=settings("none")).frames
        for pipeline in (PIPELINE, *(nvs_jax.load(tmp_path / "wan", low_memory=low) for low in (False, True)))
    ]
    np.testing.assert_array_equal(frames[1], frames[0])
    np.testing.assert_array_equal(frames[2], frames[0])


def test_the_published_model_is_text_to_video_of_1_3_billion_numbers():
    assert FAMILY.lattice == Lattice(cell=8, cells=2, frame_step=4, channels=16, frames=81)
    counts = {component: Model("wan").parameters(component) for component in FAMILY.configs}
    assert counts["transformer"] == pytest.approx(1.419e9, rel=5e-4)
    assert counts["vae"] == pytest.approx(0.127e9, rel=5e-3)
    assert counts["prompts"] == 2 * 512 * 4096


def test_prompts_of_no_size_and_texts_that_are_too_few_are_refused():
    config = PromptsConfig(3, 6, ("a", "b", "c"), embed=lambda text: jnp.zeros((3, 6)))
    assert parse_prompts(published_prompts(config) | {"embed": "no part of it"}, "here") == config
    with pytest.raises(InputError, match="here: texts must be two at least"):
        parse_prompts({"tokens": 3, "width": 6, "texts": ["a"]}, "here")
    with pytest.raises(InputError, match="here: tokens and width must be at least 1"):
        parse_prompts({"tokens": 0}, "here")
