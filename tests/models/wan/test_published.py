"""A tiny Wan as it is published, as a user calls it: converted or not, prompts kept or embedded when they are given."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import nvs_jax
from nvs_jax.checkpoint import open_checkpoint
from nvs_jax.cli import main
from nvs_jax.loading import open_source
from nvs_jax.models.wan.prompts import UNWANTED, WANTED
from tests.models.wan.published import write_published
from tests.models.wan.test_commands import fails, frames, single
from tests.models.wan.tiny import FRAMES, configs_of, tiny_wan
from tests.tiny import write_scene

PROMPT = "a still scene"
FEW = ("--path.frames", str(FRAMES))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_published(tmp_path_factory.mktemp("wan") / "published")


@pytest.fixture(scope="module")
def checkpoint(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Which keeps a third prompt."""
    made = tmp_path_factory.mktemp("wan") / "checkpoint"
    main(["convert", str(published), str(made), "--prompts", PROMPT])
    return made


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    return write_scene(tmp_path)


def test_a_prompt_is_embedded_when_it_is_given_or_when_weights_are_converted(
    inputs: Path, published: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
):
    assert open_checkpoint(checkpoint).configs["prompts"].texts == (WANTED, UNWANTED, PROMPT)
    for weights, name in ((published, "whole"), (checkpoint, "kept")):
        main(single(inputs, weights, *FEW, "--prompt", f" {PROMPT}", out=name))
    main(single(inputs, checkpoint, *FEW, out="unsaid"))
    main(single(inputs, checkpoint, *FEW, "--low-memory", "--prompt", PROMPT, out="in-turn"))
    whole, kept, unsaid, in_turn = (frames(inputs / name) for name in ("whole", "kept", "unsaid", "in-turn"))
    np.testing.assert_array_equal(whole, kept)
    np.testing.assert_array_equal(kept, in_turn)
    assert (whole != unsaid).any()
    said = fails(single(inputs, checkpoint, *FEW, "--prompt", "another scene"), capsys)
    assert "keep no embedding of the prompt 'another scene', and have no text encoder" in said


def test_a_checkpoint_has_no_text_encoder_for_further_prompts(checkpoint, tmp_path, capsys):
    said = fails(["convert", str(checkpoint), str(tmp_path / "again"), "--prompts", "a"], capsys)
    assert "has no text encoder: --prompts needs the published folder or its hub id" in said


@pytest.mark.parametrize("kind", ["vace", "image"])
def test_every_kind_is_read_as_it_was_written_and_again_from_a_checkpoint(kind, tmp_path):
    folder = write_published(tmp_path / kind, kind)
    main(["convert", str(folder), str(tmp_path / "checkpoint")])
    for source in (folder, tmp_path / "checkpoint"):
        opened, networks = open_source(source), tiny_wan(kind).networks
        assert opened.configs.keys() == configs_of(kind).keys()
        for component, config in configs_of(kind).items():
            if component != "prompts":
                assert opened.configs[component] == config
                weights = opened.load(component)
                for name, value in networks.weights(component).items():
                    np.testing.assert_array_equal(weights[name], value)
    assert isinstance(nvs_jax.load(tmp_path / "checkpoint").model, type(tiny_wan()))


def test_keys_of_another_family_are_one_line(published, inputs, tmp_path, capsys):
    folder = write_published(tmp_path / "mixed")
    file = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    save_file({f"down_blocks.0.{name}": value for name, value in load_file(file).items()}, file)
    said = fails(single(inputs, folder, *FEW), capsys)
    assert "is another network's: none of its" in said and "(down_blocks.0." in said
