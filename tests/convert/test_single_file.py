import shutil
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import save_file

import convert
from convert.single_file import model_folder, model_of, open_single_file
from nvs_jax.cli import main
from nvs_jax.errors import InputError
from nvs_jax.models.svd.build import build
from nvs_jax.models.svd.networks import CONFIG_CLASSES
from nvs_jax.models.weights import parameter_specs
from tests.convert.published import CONFIGS, original_tensors, published_tensors, same, write_folder

TENSORS = {name: published_tensors(parameter_specs(build(config))) for name, config in CONFIGS.items()}
ORIGINAL = original_tensors(TENSORS)
TEXT = "conditioner.embedders.0.open_clip.model.text_projection"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("svd"), TENSORS)


@pytest.fixture(autouse=True)
def small_models(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The published models are small here."""
    monkeypatch.setattr("convert.single_file.model_folder", lambda model: folder)


def write(path: Path, tensors: dict[str, np.ndarray] = ORIGINAL) -> Path:
    save_file(tensors, path)
    return path


@pytest.mark.parametrize("dtype", [None, "bfloat16"])
def test_every_array_is_that_of_the_diffusers_layout_bit_for_bit(folder: Path, tmp_path: Path, dtype: str | None):
    unused = {TEXT: np.ones((4, 4), np.float32), "first_stage_model.encoder.conv_in.bias": np.ones(2, np.float32)}
    ours = convert.load_networks(write(tmp_path / "svd.safetensors", ORIGINAL | unused), dtype)
    theirs = convert.load_networks(folder, dtype)
    for component in CONFIG_CLASSES:
        assert ours.configs[component] == theirs.configs[component]
        assert ours.weights(component).keys() == theirs.weights(component).keys()
        for name, array in theirs.weights(component).items():
            assert same(ours.weights(component)[name], np.asarray(array)), name


def test_a_checkpoint_of_it_holds_the_same(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    main(["convert", str(write(tmp_path / "my.safetensors")), str(tmp_path / "made"), "--model", "svd"])
    assert f"{tmp_path / 'made'}: 25 frames, " in capsys.readouterr().out
    restored, direct = convert.load_networks(tmp_path / "made", jnp.float16), convert.load_networks(folder, jnp.float16)
    for component in CONFIG_CLASSES:
        for name, array in direct.weights(component).items():
            assert same(restored.weights(component)[name], np.asarray(array)), name


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("svd", "svd"),
        ("svd_xt", "svd_xt"),
        ("svd_xt_1_1", "svd_xt_1_1"),
        ("SVD-XT-1.1", "svd_xt_1_1"),
        ("svd_xt-fp16", "svd_xt"),
        ("svd_11_xt", "svd_xt"),
        ("my_svd", "svd"),
    ],
)
def test_the_name_tells_the_model(name: str, model: str):
    assert model_of(Path("anywhere/xt") / f"{name}.safetensors") == model


def test_a_name_that_does_not_tell_asks_for_the_option(tmp_path: Path):
    with pytest.raises(InputError, match=r"model\.safetensors: its name does not tell .* convert it with --model"):
        open_single_file(write(tmp_path / "model.safetensors"))
    assert open_single_file(tmp_path / "model.safetensors", "svd_xt").configs["unet"] == CONFIGS["unet"]


@pytest.mark.parametrize("name", ["svd.ckpt", "svd.pt", "svd.bin"])
def test_a_pickle_is_not_read(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(InputError, match="is a pickle; pickles are never read"):
        convert.load_networks(tmp_path / name)


def test_the_weights_of_one_network_are_not_a_checkpoint(folder: Path):
    with pytest.raises(InputError, match=r"is not a single-file SVD .* give the whole folder, with model_index\.json"):
        convert.load_networks(folder / "unet" / "diffusion_pytorch_model.safetensors")


FIRST = "model.diffusion_model.input_blocks.0.0.weight"
FUSED = "conditioner.embedders.0.open_clip.model.visual.transformer.resblocks.0.attn.in_proj_weight"
DAMAGES = {
    "missing": ({FIRST: None}, rf"1 missing \({FIRST}\)"),
    "missing and fused": ({FUSED: None}, rf"1 missing \({FUSED}\)"),
    "unexpected": ({"model.diffusion_model.odd": np.ones(1)}, r"1 unexpected \(model\.diffusion_model\.odd\)"),
    "of an unknown part": ({"conditioner.embedders.9.weight": np.ones(1)}, r"1 unexpected \(conditioner.embedders.9"),
    "swapped": (
        {FUSED: np.ascontiguousarray(ORIGINAL[FUSED].T)},
        rf"1 of another shape \({FUSED} is 16x48, not 48x16\)",
    ),
    "in integers": ({FIRST: ORIGINAL[FIRST].astype(np.int8)}, rf"1 of a dtype other than .* \({FIRST} is I8\)"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_does_not_fit_is_named_in_one_line(tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]):
    changed, message = DAMAGES[damage]
    tensors = {key: tensor for key, tensor in (ORIGINAL | changed).items() if tensor is not None}
    path = write(tmp_path / "svd.safetensors", tensors)
    with pytest.raises(InputError, match=message):
        convert.load_networks(path)
    refused(path, tmp_path / "made", capsys)


def test_a_cut_file_and_a_renamed_pickle_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = write(tmp_path / "svd.safetensors")
    path.write_bytes(path.read_bytes()[:-1000])
    assert "is not a sound safetensors file" in refused(path, tmp_path / "made", capsys)
    path.write_bytes(b"PK\x03\x04" + bytes(1000))
    assert "is a pickle under another name" in refused(path, tmp_path / "made", capsys)


def refused(source: Path, destination: Path, capsys: pytest.CaptureFixture[str]) -> str:
    before = sorted(destination.parent.iterdir())
    with pytest.raises(SystemExit) as stop:
        main(["convert", str(source), str(destination)])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("nvs-jax: error: ") and said.count("\n") == 1
    assert sorted(destination.parent.iterdir()) == before
    return said


def test_the_published_configurations_are_found_wherever_the_package_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    checkout = model_folder("svd")
    assert (checkout / "unet" / "config.json").is_file()
    shutil.copytree(checkout, tmp_path / "configs" / "models" / "svd")
    monkeypatch.setattr("nvs_jax.configs.__file__", str(tmp_path / "__init__.py"))
    assert model_folder("svd") == tmp_path / "configs" / "models" / "svd"
