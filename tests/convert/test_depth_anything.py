"""Published folders of Depth Anything: full-size key lists, faults in small ones, the hub without a hub."""

import functools
import json
import shutil
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
from huggingface_hub import errors
from safetensors.numpy import load_file, save_file

from convert.depth_anything import DEPTH_TABLE, open_depth
from convert.key_table import match
from convert.safetensors_file import TensorInfo
from nvs_jax.errors import InputError
from nvs_jax.models.depth.config import DepthConfig, parse_depth_config, read_depth_config
from nvs_jax.models.depth.network import DepthAnything
from nvs_jax.models.weights import ParameterSpec, parameter_specs
from tests.conftest import DATA
from tests.models.depth.folders import config, write_folder

MODELS = ("small", "base", "large")
CONFIGS = Path(__file__).parents[2] / "configs" / "models" / "depth_anything_v2"
# 24.8, 97.5 and 335.3 million, as their authors say, each with a mask token that is left out.
PARAMETERS = {"small": 24_785_089, "base": 97_470_785, "large": 335_315_649}
MASK_TOKEN = "backbone.embeddings.mask_token"
ID = "depth-anything/Depth-Anything-V2-Small-hf"


@functools.cache
def published(model: str) -> dict[str, TensorInfo]:
    lines = (DATA / "keys" / f"depth_anything_v2_{model}.txt").read_text().splitlines()
    return {key: TensorInfo(tuple(map(int, shape.split("x"))), "F32") for key, shape in map(str.split, lines)}


@functools.cache
def specs(model: str) -> dict[str, ParameterSpec]:
    return parameter_specs(DepthAnything(read_depth_config(CONFIGS / f"{model}.json")))


@pytest.mark.parametrize("model", MODELS)
def test_every_published_key_is_read_once_and_none_is_left(model: str):
    assert sum(int(np.prod(info.shape)) for info in published(model).values()) == PARAMETERS[model]
    taken = match(DEPTH_TABLE, published(model), specs(model), model)
    read = [key for key, _ in taken.values()]
    assert sorted([*read, MASK_TOKEN]) == sorted(published(model))
    assert taken.keys() == specs(model).keys()


@pytest.mark.parametrize("model", MODELS)
def test_the_names_in_memory_of_transformers_5_are_understood_too(model: str):
    renamed = {}
    for key, info in published(model).items():
        for old, new in (("query", "q_proj"), ("key", "k_proj"), ("value", "v_proj")):
            key = key.replace(f".attention.attention.{old}.", f".attention.{new}.")
        renamed[key.replace(".attention.output.dense.", ".attention.o_proj.")] = info
    assert len(renamed.keys() - published(model).keys()) == 8 * (24 if model == "large" else 12)
    taken = match(DEPTH_TABLE, renamed, specs(model), model)
    assert sorted([*(key for key, _ in taken.values()), MASK_TOKEN]) == sorted(renamed)


def test_the_configurations_differ_in_size_alone():
    small, base, large = (read_depth_config(CONFIGS / f"{model}.json") for model in MODELS)
    assert [entry.backbone.hidden_size for entry in (small, base, large)] == [384, 768, 1024]
    assert small.backbone.out_indices == base.backbone.out_indices == (3, 6, 9, 12)
    assert large.backbone.out_indices == (5, 12, 18, 24)
    assert not any(entry.metric for entry in (small, base, large))
    assert small == DepthConfig(backbone=small.backbone)


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    return write_folder(tmp_path_factory.mktemp("depth") / "sound")


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "folder")


def test_a_folder_is_read(folder: Path):
    opened = open_depth(folder)
    assert opened.config.fusion_hidden_size == 16 and opened.preprocessing.height == 518
    weights, stored = opened.load(), load_file(folder / "model.safetensors")
    assert weights.keys() == stored.keys() - {MASK_TOKEN}
    key = "neck.reassemble_stage.layers.0.resize.weight"
    np.testing.assert_array_equal(weights[key], stored[key].transpose(0, 2, 3, 1))


def test_weights_in_half_precision_become_float32(folder: Path):
    stored = load_file(folder / "model.safetensors")
    save_file({key: tensor.astype(np.float16) for key, tensor in stored.items()}, folder / "model.safetensors")
    assert {array.dtype for array in open_depth(folder).load().values()} == {np.dtype(np.float32)}


def test_a_key_taken_away_or_changed_or_added_or_doubled_is_named(folder: Path):
    tensors = load_file(folder / "model.safetensors")
    tensors["head.conv4.bias"] = tensors.pop("head.conv3.bias")
    tensors["head.conv1.bias"] = np.zeros((2, 2), np.float32)
    layer = "backbone.encoder.layer.1.attention"
    tensors[f"{layer}.q_proj.bias"] = tensors[f"{layer}.attention.query.bias"].copy()
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(InputError) as raised:
        open_depth(folder).load()
    said = str(raised.value)
    assert "1 missing (head.conv3.bias)" in said and "head.conv4.bias" in said
    assert f"{layer}.attention.query.bias and {layer}.q_proj.bias -> " in said
    assert "head.conv1.bias is 2x2, not 8" in said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"architectures": ["DPTForDepthEstimation"]}, "is the configuration of DPTForDepthEstimation"),
        ({"backbone_config": None}, "backbone_config must describe a dinov2"),
        ({"backbone_config": {"model_type": "dinov2"}}, "reshape_hidden_states is True"),
        ({"num_attention_heads": 5}, "num_attention_heads does not divide"),
        ({"out_indices": [1, 2, 3, 9]}, "out_indices must rise from 1 to at most 4"),
        ({"out_indices": [1, 2]}, "reassemble_factors needs 2 entries"),
        ({"reassemble_hidden_size": 16}, "reassemble_hidden_size and"),
        ({"reassemble_factors": [4, 2, 1, 0.3]}, "must be whole numbers or their inverses"),
        ({"head_in_index": 4}, "head_in_index must be one of 4"),
        ({"depth_estimation_type": "guess"}, "must be relative or metric"),
        ({"max_depth": -1}, "max_depth must be a positive number"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers must be an integer from 1 to 1000"),
        ({"patch_size": 16}, "patch_size is 16; this port knows 14 alone"),
        ({"neck_hidden_sizes": "wide"}, "neck_hidden_sizes must be a list"),
    ],
)
def test_a_configuration_that_cannot_be_expressed_is_refused(changed: dict, said: str):
    outside = changed.keys() & {"backbone_config", "patch_size"}
    with pytest.raises(InputError, match=said):
        parse_depth_config(config() | changed if outside else config(**changed), "here")


@pytest.mark.parametrize(("kind", "largest"), [("metric", 80.0), ("relative", 1.0)])
def test_the_kind_of_depth_is_read(kind: str, largest: float):
    found = parse_depth_config(config(depth_estimation_type=kind, max_depth=int(largest)), "here")
    assert (found.metric, found.max_depth) == (kind == "metric", largest)


def test_features_named_by_their_stages_are_the_same():
    whole = config()
    whole["backbone_config"]["out_features"] = ["stage1", "stage2", "stage3", "stage4"]
    del whole["backbone_config"]["out_indices"]
    assert parse_depth_config(whole, "") == parse_depth_config(config(), "")


def test_preprocessing_that_does_not_fit_the_patches_is_refused(folder: Path):
    (folder / "preprocessor_config.json").write_text(json.dumps({"ensure_multiple_of": 32}))
    with pytest.raises(InputError, match="ensure_multiple_of must be a multiple of 14"):
        open_depth(folder)


def test_what_is_no_source_says_what_one_is(tmp_path: Path):
    (tmp_path / "file").touch()
    for source, fault in ((tmp_path / "file", "is no folder"), (tmp_path / "none", "does not exist")):
        with pytest.raises(InputError, match=rf"{fault}: expected .* or a hub id such as .* with --depth"):
            open_depth(source)
    with pytest.raises(InputError, match=r"config\.json is missing"):
        open_depth(tmp_path)


def test_the_hub_is_asked_for_what_is_needed(folder: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def download(repository: str, allow_patterns: list[str]) -> str:
        assert repository == ID
        asked[:] = allow_patterns
        return str(folder)

    files = ["README.md", "config.json", "preprocessor_config.json", "model.safetensors", "pytorch_model.bin"]
    monkeypatch.setattr(huggingface_hub, "list_repo_files", lambda _: files)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert open_depth(ID).path == folder
    assert sorted(asked) == ["config.json", "model.safetensors", "preprocessor_config.json"]
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"]
    files[:] = ["config.json", *shards]
    open_depth(ID)
    assert sorted(asked) == sorted(["config.json", *shards])
    files[:] = ["depth_anything_v2_vits.pth"]
    with pytest.raises(InputError, match=r"not in transformers' layout .* ends in -hf, or hand in a depth map"):
        open_depth(ID)


def test_without_network_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    def none(*_, **__):
        raise errors.LocalEntryNotFoundError("not here")

    def offline(_):
        raise errors.OfflineModeIsEnabled("no network")

    monkeypatch.setattr(huggingface_hub, "list_repo_files", offline)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", none)
    with pytest.raises(
        InputError, match=r"out of reach: connect .* give the folder, or hand in a depth map .* --depth"
    ):
        open_depth(ID)
