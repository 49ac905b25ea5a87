"""Published models by name: sizes that suit them, and which rows of the table are theirs."""

import pickle
from dataclasses import replace

import pytest

from nvs_jax.errors import InputError
from nvs_jax.models.wan.config import TransformerConfig
from nvs_jax.planning.programs import Model, build_program
from nvs_jax.planning.published import entries_of, name_of, names, published_model, usual_request
from nvs_jax.planning.request import Request
from nvs_jax.planning.table import read_table
from tests.models.wan.tiny import CONFIGS

SIZES = {
    "svd": (14, 576, 1024),
    "svd_xt": (25, 576, 1024),
    "svd_xt_1_1": (25, 576, 1024),
    "wan2_1_i2v_14b_480p": (81, 480, 832),
    "wan2_1_i2v_14b_720p": (81, 480, 832),
    "wan2_1_t2v_1_3b": (81, 480, 832),
    "wan2_1_vace_1_3b": (81, 480, 832),
    "wan2_2_ti2v_5b": (121, 704, 1280),
}
TINY = Model("wan", tuple(CONFIGS.items()))
SMALL = Request(frames=5, height=64, width=64, dtype="float32")


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_those_a_model_was_trained_on(name):
    request = usual_request(published_model(name))
    assert (request.frames, request.height, request.width) == SIZES[name]


def test_all_published_models_are_known():
    assert names() == sorted(SIZES)
    with pytest.raises(InputError, match="--model sora is none of svd, "):
        published_model("sora")


@pytest.mark.parametrize("name", SIZES)
def test_other_processes_can_be_told_of_a_model(name):
    assert len(pickle.dumps(published_model(name))) < 10_000


def test_rows_of_the_table_are_those_of_the_network_that_samples():
    assert name_of(published_model("svd")) == "svd_xt"
    assert name_of(published_model("wan2_1_vace_1_3b")) == "wan2_1_vace_1_3b"
    assert name_of(published_model("wan2_1_i2v_14b_720p")) == "wan2_1_i2v_14b_480p"  # which has the same network
    assert name_of(TINY) is None
    table = read_table()
    assert {entry.model for entry in entries_of(table, published_model("svd_xt"))} == {"svd_xt"}
    assert entries_of(table, TINY) == []


@pytest.mark.parametrize("program", ["encode", "sample", "decode"])
def test_programs_of_a_model_that_embeds_no_picture_and_encodes_whole_videos(program):
    assert TINY.programs() == ("encode", "sample", "decode")
    abstract = build_program(program, TINY, SMALL)
    assert "main" in abstract.lower().as_text()
    if program == "encode":
        assert abstract.arguments["pictures"].shape == (5, 64, 64, 3)


def test_a_model_of_other_configurations_is_another():
    t2v = dict(published_model("wan2_1_t2v_1_3b").configs or ())
    transformer = t2v["transformer"]
    assert isinstance(transformer, TransformerConfig)
    wider = Model("wan", tuple({**t2v, "transformer": replace(transformer, ffn_dim=9000)}.items()))
    assert name_of(wider) is None
