import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from convert.tensor_files import open_tensors
from nvs_jax.errors import InputError
from tests.convert.published import Tensors, write_json, write_shards

STEM = "diffusion_pytorch_model"


def tensors(value: float) -> Tensors:
    return {key: np.full((2,), value, np.float32) for key in ("a", "b", "c")}


@pytest.mark.parametrize("variant", ["", ".fp16"])
def test_a_single_file_is_found_under_either_name(tmp_path: Path, variant: str):
    save_file(tensors(1), tmp_path / f"{STEM}{variant}.safetensors")
    files = open_tensors(tmp_path, STEM)
    assert files.tensors.keys() == {"a", "b", "c"} and files.read("a")[0] == 1


@pytest.mark.parametrize("variant", ["", ".fp16"])
def test_shards_are_read_as_one(tmp_path: Path, variant: str):
    published = {key: np.full((2,), number, np.float32) for number, key in enumerate("abcde")}
    write_shards(tmp_path, STEM, published, variant)
    files = open_tensors(tmp_path, STEM)
    assert files.tensors.keys() == published.keys()
    assert all(np.array_equal(files.read(key), published[key]) for key in published)


@pytest.mark.parametrize("sharded", [False, True])
def test_the_plain_weights_win_over_the_variant(tmp_path: Path, sharded: bool):
    save_file(tensors(16), tmp_path / f"{STEM}.fp16.safetensors")
    if sharded:
        write_shards(tmp_path, STEM, tensors(32))
    else:
        save_file(tensors(32), tmp_path / f"{STEM}.safetensors")
    assert open_tensors(tmp_path, STEM).read("a")[0] == 32


@pytest.mark.parametrize("name", ["diffusion_pytorch_model.bin", "model.ckpt", "weights.pt", "weights.pth"])
def test_pickles_are_never_read(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(InputError, match=f"only {name}; pickles are never read: download {STEM}.safetensors"):
        open_tensors(tmp_path, STEM)


def test_an_empty_or_absent_folder_is_an_error(tmp_path: Path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match=f"{STEM}.safetensors is missing"):
            open_tensors(folder, STEM)


def test_a_missing_shard_is_named(tmp_path: Path):
    _, second = write_shards(tmp_path, STEM, tensors(1))
    (tmp_path / second).unlink()
    with pytest.raises(InputError, match=f"names the shard {second}, which is missing"):
        open_tensors(tmp_path, STEM)


def test_a_key_in_two_shards_is_named(tmp_path: Path):
    _, second = write_shards(tmp_path, STEM, tensors(1))
    save_file(tensors(1), tmp_path / second)
    with pytest.raises(InputError, match=f"a is in two shards, .* and {second}"):
        open_tensors(tmp_path, STEM)


def test_a_key_that_is_not_in_its_shard_is_named(tmp_path: Path):
    _, second = write_shards(tmp_path, STEM, tensors(1))
    save_file({"b": np.ones(1, np.float32)}, tmp_path / second)
    with pytest.raises(InputError, match=f"places c in {second}, which does not hold it"):
        open_tensors(tmp_path, STEM)


@pytest.mark.parametrize(
    "name", ["../outside.safetensors", "/etc/passwd", "deeper/x.safetensors", "weights.bin", "..", 3, None]
)
def test_an_index_may_only_name_safetensors_beside_it(tmp_path: Path, name: object):
    write_json(tmp_path / f"{STEM}.safetensors.index.json", {"weight_map": {"a": name}})
    with pytest.raises(InputError, match=r"places a in .*, which is not a safetensors file beside it"):
        open_tensors(tmp_path, STEM)


@pytest.mark.parametrize("content", [{}, {"weight_map": []}, {"weight_map": {}}, [1], "text"])
def test_an_index_without_a_weight_map_is_an_error(tmp_path: Path, content: object):
    (tmp_path / f"{STEM}.safetensors.index.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"no weight_map|not an object"):
        open_tensors(tmp_path, STEM)


def test_an_index_that_is_not_json_is_an_error(tmp_path: Path):
    (tmp_path / f"{STEM}.safetensors.index.json").write_bytes(b"\xff{")
    with pytest.raises(InputError, match="not readable JSON"):
        open_tensors(tmp_path, STEM)
