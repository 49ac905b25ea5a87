import dataclasses
import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from jax.sharding import SingleDeviceSharding
from safetensors.numpy import save_file

from convert.diffusers_layout import with_unet
from convert.published_folders import open_folder
from nvs_jax.checkpoint import open_checkpoint
from nvs_jax.cli import main
from nvs_jax.errors import InputError
from nvs_jax.models.svd.build import build
from nvs_jax.models.svd.networks import as_svd
from nvs_jax.models.weights import parameter_specs
from tests.convert.published import (
    CONFIGS,
    STEMS,
    Tensors,
    published_tensors,
    same,
    write_folder,
    write_json,
    write_shards,
)

SPECS = {component: parameter_specs(build(config)) for component, config in CONFIGS.items()}
TENSORS = {component: published_tensors(specs) for component, specs in SPECS.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("svd"), TENSORS)


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A folder to alter."""
    return shutil.copytree(folder, tmp_path / "svd")


def ours(component: str, name: str) -> np.ndarray:
    return TENSORS[component][name].transpose(SPECS[component][name].published_axes)


def replace_weights(folder: Path, component: str, tensors: Tensors) -> None:
    save_file(tensors, folder / component / f"{STEMS[component]}.safetensors")


def test_the_configurations_are_read(folder: Path):
    opened = open_folder(folder)
    for component, config in CONFIGS.items():
        assert opened.configs[component] == config


def test_every_parameter_is_its_tensor_with_axes_permuted(folder: Path):
    networks = as_svd(open_folder(folder).networks())
    for component, specs in SPECS.items():
        weights = networks.weights(component)
        assert weights.keys() == specs.keys()
        assert all(weights[name].shape == spec.shape for name, spec in specs.items())
        assert all(same(weights[name], ours(component, name)) for name in specs)
    assert dataclasses.asdict(networks.unet_config) == dataclasses.asdict(CONFIGS["unet"])


@pytest.mark.parametrize("component", CONFIGS)
def test_a_dtype_rounds_all_but_the_vae(folder: Path, component: str):
    weights = open_folder(folder).load(component, dtype=jnp.bfloat16)
    dtype = np.float32 if component == "vae" else ml_dtypes.bfloat16
    assert all(same(array, ours(component, name).astype(dtype)) for name, array in weights.items())


@pytest.mark.parametrize("stored", [np.float16, ml_dtypes.bfloat16, np.float64])
def test_stored_dtypes_are_kept_but_for_float64_and_the_vae(copy: Path, stored: type):
    for component in ("vae", "image_encoder"):
        replace_weights(copy, component, published_tensors(SPECS[component], stored))
    opened = open_folder(copy)
    kept = np.float32 if stored is np.float64 else stored
    assert {array.dtype for array in opened.load("image_encoder").values()} == {np.dtype(kept)}
    assert {array.dtype for array in opened.load("vae").values()} == {np.dtype(np.float32)}


def test_each_tensor_goes_where_it_is_sent(folder: Path):
    asked = []

    def sharding(name: str, shape: tuple[int, ...]) -> SingleDeviceSharding:
        asked.append(name)
        return SingleDeviceSharding(jax.devices()[0])

    open_folder(folder).load("image_encoder", sharding=sharding)
    assert asked == [f"image_encoder/{name}" for name in SPECS["image_encoder"]]


@pytest.mark.parametrize("variant", ["", ".fp16"])
def test_shards_and_variants_give_the_same_weights(copy: Path, variant: str):
    stem = STEMS["vae"]
    (copy / "vae" / f"{stem}.safetensors").unlink()
    write_shards(copy / "vae", stem, TENSORS["vae"], variant)
    weights = open_folder(copy).load("vae")
    assert all(same(weights[name], ours("vae", name)) for name in SPECS["vae"])


def test_the_old_names_of_the_vae_attention_give_the_same_weights(copy: Path):
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    renamed = {}
    for name, tensor in TENSORS["vae"].items():
        for new_part, old_part in old.items():
            name = name.replace(f"attentions.0.{new_part}.", f"attentions.0.{old_part}.")
        renamed[name] = tensor
    assert len(renamed.keys() - TENSORS["vae"].keys()) == 16
    replace_weights(copy, "vae", renamed)
    weights = open_folder(copy).load("vae")
    assert all(same(weights[name], ours("vae", name)) for name in SPECS["vae"])


def test_old_and_new_names_together_are_an_error(copy: Path):
    new, old = (f"encoder.mid_block.attentions.0.{name}.bias" for name in ("to_q", "query"))
    replace_weights(copy, "vae", TENSORS["vae"] | {old: TENSORS["vae"][new]})
    with pytest.raises(InputError, match=f"1 matched twice .({old} and {new}|{new} and {old}) -> {new}"):
        open_folder(copy).load("vae")


def test_the_position_ids_of_clip_are_ignored(copy: Path):
    extra = {"vision_model.embeddings.position_ids": np.arange(5)[None]}
    replace_weights(copy, "image_encoder", TENSORS["image_encoder"] | extra)
    assert open_folder(copy).load("image_encoder").keys() == SPECS["image_encoder"].keys()


@pytest.mark.parametrize("component", CONFIGS)
def test_missing_and_unexpected_tensors_are_errors(copy: Path, component: str):
    first, *rest = TENSORS[component]
    replace_weights(copy, component, {name: TENSORS[component][name] for name in rest} | {"odd": np.ones(1)})
    with pytest.raises(InputError, match=rf"{component}/.*1 missing \({first}\); 1 unexpected \(odd\)"):
        open_folder(copy).load(component)


@pytest.mark.parametrize("component", CONFIGS)
def test_a_transposed_tensor_is_an_error(copy: Path, component: str):
    name = next(name for name, tensor in TENSORS[component].items() if tensor.shape != tensor.T.shape)
    transposed = np.ascontiguousarray(TENSORS[component][name].T)
    replace_weights(copy, component, TENSORS[component] | {name: transposed})
    with pytest.raises(InputError, match=rf"1 of another shape \({name} is .*, not "):
        open_folder(copy).load(component)


@pytest.mark.parametrize(
    "name", ["model_index.json", "unet/config.json", "vae/config.json", "image_encoder/config.json"]
)
def test_a_missing_configuration_is_named(copy: Path, name: str):
    (copy / name).unlink()
    with pytest.raises(InputError, match=f"{name} (is missing|does not exist)"):
        open_folder(copy)


@pytest.mark.parametrize("component", CONFIGS)
def test_missing_weights_are_named(copy: Path, component: str):
    (copy / component / f"{STEMS[component]}.safetensors").unlink()
    with pytest.raises(InputError, match=rf"{component} holds no weights: {STEMS[component]}\.safetensors is missing"):
        open_folder(copy).load(component)


def test_another_pipeline_is_an_error(copy: Path):
    write_json(copy / "model_index.json", {"_class_name": "StableDiffusionPipeline"})
    with pytest.raises(
        InputError, match="is a StableDiffusionPipeline, none that this version knows: StableVideoDiffusionPipeline"
    ):
        open_folder(copy)


def test_a_scheduler_may_be_missing_but_not_predict_something_else(copy: Path):
    scheduler = copy / "scheduler" / "scheduler_config.json"
    write_json(scheduler, {"prediction_type": "epsilon"})
    with pytest.raises(InputError, match="the UNet predicts 'epsilon'"):
        open_folder(copy)
    scheduler.unlink()
    assert open_folder(copy).family == "svd"


def in_integers(folder: Path) -> str:
    name = next(iter(TENSORS["vae"]))
    replace_weights(folder, "vae", TENSORS["vae"] | {name: TENSORS["vae"][name].astype(np.int8)})
    return f"1 of a dtype other than F64, F32, F16, BF16 ({name} is I8)"


def cut_short(folder: Path) -> str:
    path = folder / "unet" / f"{STEMS['unet']}.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    return "is not a sound safetensors file"


def renamed_pickle(folder: Path) -> str:
    (folder / "image_encoder" / f"{STEMS['image_encoder']}.safetensors").write_bytes(b"\x80\x04" + bytes(100))
    return "is a pickle under another name"


def missing_shard(folder: Path) -> str:
    (folder / "vae" / f"{STEMS['vae']}.safetensors").unlink()
    _, second = write_shards(folder / "vae", STEMS["vae"], TENSORS["vae"])
    (folder / "vae" / second).unlink()
    return f"names the shard {second}, which is missing"


@pytest.mark.parametrize("damage", [in_integers, cut_short, renamed_pickle, missing_shard], ids=lambda d: d.__name__)
def test_a_damaged_folder_is_one_line_and_leaves_nothing(copy: Path, damage, capsys: pytest.CaptureFixture[str]):
    message = damage(copy)
    with pytest.raises(SystemExit) as stop:
        main(["convert", str(copy), str(copy.parent / "made")])
    said = capsys.readouterr().err
    assert stop.value.code == 2 and said.startswith("nvs-jax: error: ") and said.count("\n") == 1
    assert message in said
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]


def other_unet(path: Path, change=lambda tensors: tensors) -> Path:
    """A file as AnimateLCM-SVD-xt is published: the UNet's tensors alone, with diffusers' names."""
    save_file(change({name: -2 * tensor for name, tensor in TENSORS["unet"].items()}), path)
    return path


def test_another_unet_takes_the_place_of_the_sources(folder: Path, tmp_path: Path):
    opened = with_unet(open_folder(folder), other_unet(tmp_path / "lcm.safetensors"))
    found = opened.networks()
    for name, array in found.weights("unet").items():
        np.testing.assert_array_equal(array, -2 * ours("unet", name))
    for component in ("vae", "image_encoder"):
        for name, array in found.weights(component).items():
            np.testing.assert_array_equal(array, ours(component, name))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda tensors: {name: tensors[name] for name in sorted(tensors)[1:]}, "1 missing"),
        (lambda tensors: tensors | {"lora.down": np.ones(1, np.float32)}, "lora.down"),
        (lambda tensors: tensors | {"conv_in.bias": np.ones(3, np.float32)}, "conv_in.bias"),
    ],
)
def test_a_file_of_another_network_than_the_unet_is_refused(folder: Path, tmp_path: Path, change, words):
    with pytest.raises(InputError, match=words):
        with_unet(open_folder(folder), other_unet(tmp_path / "lcm.safetensors", change))


def test_a_unet_that_is_not_there_or_of_another_family_is_refused(folder: Path, tmp_path: Path):
    opened = open_folder(folder)
    with pytest.raises(InputError, match=r"none\.safetensors is not a file"):
        with_unet(opened, tmp_path / "none.safetensors")
    with pytest.raises(InputError, match="a model of the family toy"):
        with_unet(dataclasses.replace(opened, family="toy"), other_unet(tmp_path / "lcm.safetensors"))


def test_the_command_puts_it_into_a_checkpoint(folder: Path, tmp_path: Path):
    file, out = other_unet(tmp_path / "lcm.safetensors"), tmp_path / "made"
    main(["convert", str(folder), str(out), "--unet", str(file)])
    name = "conv_in.weight"
    np.testing.assert_array_equal(open_checkpoint(out).networks().weights("unet")[name], -2 * ours("unet", name))
