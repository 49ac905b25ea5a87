"""A tiny Wan as a checkpoint, and at full size as shapes."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest

import nvs_jax
from convert import convert
from nvs_jax import checkpoint
from nvs_jax.checkpoint import open_checkpoint, write_checkpoint
from nvs_jax.errors import InputError
from nvs_jax.models import opened
from nvs_jax.models.contract import Lattice
from nvs_jax.models.stacked import is_of_stack, of_single_layers
from nvs_jax.models.wan.family import FAMILY
from nvs_jax.models.wan.prompts import PromptsConfig, parse_prompts, published_prompts
from nvs_jax.models.weights import parameter_specs
from nvs_jax.planning.programs import Model
from tests.models.wan.published import write_published
from tests.models.wan.test_model import PATH, PIPELINE, K, settings
from tests.models.wan.tiny import CONFIGS, tiny_wan, write_tiny_checkpoint
from tests.sharded import run_processes
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


def stored(folder: Path) -> dict[str, tuple[int, ...]]:
    """The arrays of its weights."""
    with ocp.StandardCheckpointer() as reader:
        parts = [reader.metadata(part).item_metadata.tree for part in (folder / "weights").glob("*/*")]
    return {name: tuple(array.shape) for tree in parts for name, array in tree.items()}


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint in which stacks are arrays, as they were before format 4."""
    folder = tmp_path_factory.mktemp("wan") / "older"
    with pytest.MonkeyPatch.context() as before:
        before.setattr(checkpoint, "cut", lambda weights, specs: weights)
        before.setattr(checkpoint, "FORMAT_VERSION", 3)
        write_tiny_checkpoint(folder)
    assert any(map(is_of_stack, stored(folder)))
    return folder


def test_no_stack_is_made_where_a_model_is_converted_and_none_is_written(tmp_path, monkeypatch):
    """A stack is as large as all of a network's layers."""
    published, largest = write_published(tmp_path / "published"), []
    write = checkpoint.save_arrays

    def watched(folder: Path, arrays: Iterable[tuple[str, Any]]) -> int:
        return write(folder, ((name, largest.append(name) or array) for name, array in arrays))

    monkeypatch.setattr(checkpoint, "save_arrays", watched)
    monkeypatch.setattr(opened, "joined", Mock(side_effect=AssertionError("a stack was made")))
    convert(published, tmp_path / "made")
    layers = {name for config in CONFIGS.values() for name in of_single_layers(parameter_specs(FAMILY.build(config)))}
    assert set(largest) == layers == stored(tmp_path / "made").keys()
    assert json.loads((tmp_path / "made" / "nvs_jax.json").read_text())["format_version"] == 4


def test_stacks_of_the_format_before_are_read_and_converted(older, tmp_path):
    convert(older, tmp_path / "newer")
    assert not any(map(is_of_stack, stored(tmp_path / "newer")))
    for folder in (older, tmp_path / "newer"):
        for component in CONFIGS:
            weights = open_checkpoint(folder).load(component)
            assert weights.keys() == tiny_wan().networks.weights(component).keys()
            for name, array in tiny_wan().networks.weights(component).items():
                np.testing.assert_array_equal(weights[name], array)


def test_layers_of_another_number_are_one_line(tmp_path):
    described = write_tiny_checkpoint(tmp_path / "wan") / "nvs_jax.json"
    description = json.loads(described.read_text())
    description["configs"]["transformer"]["num_layers"] = 3
    described.write_text(json.dumps(description))
    with pytest.raises(InputError, match=r"another transformer than .*blocks\.2\..* is missing there and \d+x?\d* by"):
        open_checkpoint(tmp_path / "wan").load("transformer")


def test_eight_devices_read_what_one_reads_however_stacks_are_divided(tmp_path):
    run_processes(["tests.models.wan.divided", str(tmp_path)])
