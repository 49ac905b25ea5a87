import json
import re
import shutil
import subprocess
import sys
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import convert
from nvs_jax import checkpoint
from nvs_jax.checkpoint import is_checkpoint
from nvs_jax.errors import InputError
from nvs_jax.models.networks import Networks
from nvs_jax.models.svd.build import build
from nvs_jax.models.svd.networks import CONFIG_CLASSES
from nvs_jax.models.weights import parameter_specs
from nvs_jax.settings.presets import settings_for
from tests.convert.published import CONFIGS, published_tensors, write_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tensors = {name: published_tensors(parameter_specs(build(config))) for name, config in CONFIGS.items()}
    return write_folder(tmp_path_factory.mktemp("svd"), tensors)


@pytest.fixture(scope="module")
def converted(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    destination = tmp_path_factory.mktemp("made") / "checkpoint"
    convert.convert(str(folder), str(destination))
    return destination


@pytest.fixture
def writing_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays are read and not written, which takes seconds: for tests of what else a conversion makes."""
    monkeypatch.setattr(checkpoint, "save_arrays", lambda folder, arrays: len(dict(arrays)))


def assert_same(networks: Networks, expected: Networks) -> None:
    for component in CONFIG_CLASSES:
        assert networks.configs[component] == expected.configs[component]
        weights = networks.weights(component)
        assert weights.keys() == expected.weights(component).keys()
        for name, array in expected.weights(component).items():
            assert weights[name].dtype == array.dtype
            assert np.asarray(weights[name]).tobytes() == np.asarray(array).tobytes(), name


def test_a_checkpoint_holds_the_folder_bit_for_bit(folder: Path, converted: Path):
    assert_same(convert.load_networks(converted), convert.load_networks(folder))


def test_a_checkpoint_of_another_dtype_holds_the_folder_in_it_bit_for_bit(folder: Path, tmp_path: Path):
    convert.convert(folder, tmp_path / "checkpoint", "bfloat16")
    assert_same(convert.load_networks(tmp_path / "checkpoint"), convert.load_networks(folder, "bfloat16"))


@pytest.mark.usefixtures("writing_nothing")
def test_settings_that_suit_the_weights_go_with_them(folder: Path, tmp_path: Path):
    copy = Path(shutil.copytree(folder, tmp_path / "svd"))
    (copy / "preset.yaml").write_text("{schedule: {steps: 9}}")
    (copy / "best.yaml").write_text("{solver: {kind: lcm}}")
    convert.convert(copy, tmp_path / "checkpoint")
    assert settings_for(tmp_path / "checkpoint").schedule.steps == 9
    assert settings_for(tmp_path / "checkpoint", "best").solver.kind == "lcm"


def test_a_dtype_means_the_same_before_and_after_conversion(folder: Path, converted: Path):
    restored = convert.load_networks(str(converted), jnp.bfloat16)
    assert_same(restored, convert.load_networks(folder, jnp.bfloat16))


def test_a_destination_in_use_is_refused_before_anything_is_read(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="exists and is not a checkpoint"):
        convert.convert(tmp_path / "absent", tmp_path)


@pytest.mark.usefixtures("writing_nothing")
def test_converting_over_a_checkpoint_needs_saying_so(folder: Path, tmp_path: Path):
    convert.convert(folder, tmp_path / "checkpoint")
    with pytest.raises(InputError, match="already holds a checkpoint"):
        convert.convert(folder, tmp_path / "checkpoint")
    convert.convert(folder, tmp_path / "checkpoint", overwrite=True)
    assert is_checkpoint(tmp_path / "checkpoint")


def test_a_failed_conversion_leaves_nothing(folder: Path, tmp_path: Path):
    (tmp_path / "svd").mkdir()
    (tmp_path / "svd" / "model_index.json").write_bytes((folder / "model_index.json").read_bytes())
    with pytest.raises(InputError, match=r"config\.json is missing"):
        convert.convert(tmp_path / "svd", tmp_path / "checkpoint")
    assert [path.name for path in tmp_path.iterdir()] == ["svd"]


def test_what_is_neither_is_told_what_was_expected(tmp_path: Path):
    expected = r"expected a folder in the diffusers layout .* a checkpoint written by `nvs-jax convert` .* hub id"
    with pytest.raises(InputError, match=rf"absent does not exist: {expected}"):
        convert.load_networks(tmp_path / "absent")
    with pytest.raises(InputError, match=rf"holds no weights this project reads: {expected}"):
        convert.load_networks(tmp_path)


@pytest.mark.parametrize("name", ["svd.safetensors", "models/svd.safetensors"])
def test_a_file_that_is_not_there_is_no_hub_id(name: str):
    with pytest.raises(InputError, match=f"^{name}: no such file$"):
        convert.load_networks(name)


@pytest.mark.parametrize(
    ("value", "dtype"), [(np.nan, np.float32), (np.inf, ml_dtypes.bfloat16)], ids=["float32", "bfloat16"]
)
def test_numbers_that_are_none_are_refused_by_their_tensor(folder: Path, tmp_path: Path, value: float, dtype: type):
    copy = Path(shutil.copytree(folder, tmp_path / "svd"))
    path = copy / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    key = sorted(tensors)[3]
    tensors[key] = tensors[key].astype(dtype)
    tensors[key].flat[0] = value
    save_file(tensors, path)
    message = rf"vae.*: 1 of {tensors[key].size} values of {re.escape(key)} are NaN or infinite"
    with pytest.raises(InputError, match=message):
        convert.load_networks(copy)
    with pytest.raises(InputError, match=message):
        convert.convert(copy, tmp_path / "checkpoint")
    assert not (tmp_path / "checkpoint").exists()


def test_weights_too_large_for_a_dtype_are_refused(folder: Path, tmp_path: Path):
    copy = Path(shutil.copytree(folder, tmp_path / "svd"))
    path = copy / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    tensors["conv_in.weight"] = np.full_like(tensors["conv_in.weight"], 1e6, np.float32)
    save_file(tensors, path)
    convert.load_networks(copy)
    with pytest.raises(InputError, match=r"conv_in\.weight are NaN or infinite, as float16: .* a wider --dtype"):
        convert.load_networks(copy, "float16")


def test_importing_the_package_does_not_import_jax():
    program = "import convert, sys; assert 'jax' not in sys.modules; assert callable(convert.convert)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = convert.nothing  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.full
def test_a_conversion_holds_no_more_than_a_part_at_a_time(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    alive, sizes = weakref.WeakValueDictionary[int, jax.Array](), []
    save = checkpoint.save_arrays

    def save_arrays(place: Path, arrays: Iterable[tuple[str, jax.Array]]) -> int:
        return save(place, watched(arrays))

    def watched(arrays: Iterable[tuple[str, jax.Array]]) -> Iterator[tuple[str, jax.Array]]:
        for name, array in arrays:
            alive[id(array)] = array
            sizes.append(sum(held.nbytes for held in alive.values()))
            yield name, array

    monkeypatch.setattr(checkpoint, "save_arrays", save_arrays)
    monkeypatch.setattr(checkpoint, "_PART_BYTES", 100_000)
    made = convert.convert(folder, tmp_path / "made")
    networks = convert.load_networks(folder)
    arrays = [array for name in CONFIG_CLASSES for array in networks.weights(name).values()]
    assert made["bytes"] == sum(array.nbytes for array in arrays) > 10 * max(sizes)
    assert max(sizes) < 100_000 + 3 * max(array.nbytes for array in arrays)
    assert len(list((tmp_path / "made" / "weights" / "unet").iterdir())) > 3
    assert json.loads((tmp_path / "made" / "nvs_jax.json").read_text())["peak_memory"] == made["peak_memory"] > 0
    assert made["frames"] == networks.configs["unet"].num_frames
    assert_same(convert.load_networks(tmp_path / "made"), networks)
