"""Every published key and shape, in both layouts, against the networks at full size: tensors without values."""

import functools
import random

import pytest

from convert.diffusers_layout import IMAGE_ENCODER_TABLE, UNET_TABLE, VAE_TABLE, read_configs
from convert.key_table import KeyTable, Taken, match
from convert.safetensors_file import TensorInfo
from convert.single_file import model_folder
from convert.single_file_table import single_file_table
from nvs_jax.errors import InputError
from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.svd.build import build
from nvs_jax.models.svd.config import UNetConfig, VAEConfig
from nvs_jax.models.weights import ParameterSpec, parameter_specs
from tests.conftest import DATA

TABLES = {"unet": UNET_TABLE, "vae": VAE_TABLE, "image_encoder": IMAGE_ENCODER_TABLE}
LAYOUTS = (*TABLES, "single_file")
# In float32 the single file has 9.56 GB, the published size of svd.safetensors and of svd_xt.safetensors.
PARAMETERS = {"unet": 1_524_623_082, "vae": 97_742_847, "image_encoder": 632_076_800, "single_file": 2_389_819_785}


@functools.cache
def published(layout: str) -> dict[str, TensorInfo]:
    name = "single_file" if layout == "single_file" else "diffusers"
    keys = {}
    for line in (DATA / "keys" / f"{name}.txt").read_text().splitlines():
        key, shape = line.split()
        if name == "single_file" or key.startswith(f"{layout}/"):
            dimensions = () if shape == "-" else tuple(map(int, shape.split("x")))
            keys[key.removeprefix(f"{layout}/")] = TensorInfo(dimensions, "F16")
    return keys


@functools.cache
def network(layout: str) -> tuple[KeyTable, dict[str, ParameterSpec]]:
    """The table of a layout, and what the networks ask for."""
    configs = read_configs(model_folder("svd_xt"))
    if layout != "single_file":
        return TABLES[layout], parameter_specs(build(configs[layout]))
    specs = {
        f"{component}/{name}": spec
        for component in TABLES
        for name, spec in parameter_specs(build(configs[component])).items()
    }
    return single_file_table(configs["unet"], configs["vae"]), specs


@functools.cache
def matched(layout: str) -> dict[str, Taken]:
    table, specs = network(layout)
    return match(table, published(layout), specs, layout)


def size(shape: tuple[int, ...]) -> int:
    return functools.reduce(lambda count, length: count * length, shape, 1)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_list_has_as_many_numbers_as_published(layout: str):
    assert sum(size(info.shape) for info in published(layout).values()) == PARAMETERS[layout]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_parameter_is_read_once_and_every_tensor_is_read_or_known_to_be_left_out(layout: str):
    taken = matched(layout)
    assert taken.keys() == network(layout)[1].keys()
    read = [key for key, _ in taken.values()]
    if layout != "single_file":
        assert sorted(read) == sorted(published(layout))
        return
    fused = {key for key in read if ".attn.in_proj_" in key}
    assert len(fused) == 64 and all(read.count(key) == (3 if key in fused else 1) for key in set(read))
    left_out = published(layout).keys() - set(read)
    prefixes = {
        "conditioner.embedders.0.open_clip.model.": 6,  # CLIP's text side
        "conditioner.embedders.3.encoder.": 140,  # the decoder of the VAE that encodes
        "first_stage_model.encoder.": 106,  # the encoder of the VAE that decodes
    }
    assert {prefix: sum(key.startswith(prefix) for key in left_out) for prefix in prefixes} == prefixes
    assert len(left_out) == sum(prefixes.values())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_layouts_have_the_same_numbers_for_the_networks(layout: str):
    specs = network(layout)[1]
    sizes = {name: size(spec.shape) for name, spec in specs.items()}
    if layout == "single_file":
        assert {
            component: sum(count for name, count in sizes.items() if name.startswith(f"{component}/"))
            for component in TABLES
        } == {component: PARAMETERS[component] for component in TABLES}
    else:
        assert sum(sizes.values()) == PARAMETERS[layout]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_key_taken_away_or_changed_or_added_is_named(layout: str):
    table, specs = network(layout)
    read = sorted({key for key, _ in matched(layout).values()})
    gone, renamed, changed = random.Random(0).sample(read, 3)
    altered = {key: info for key, info in published(layout).items() if key not in (gone, renamed)}
    altered |= {f"{renamed}_": published(layout)[renamed], changed: TensorInfo((7, 7), "F16")}
    with pytest.raises(InputError) as raised:
        match(table, altered, specs, layout)
    said = str(raised.value)
    assert "2 missing (" in said and all(key in said.split("; ")[0] for key in (gone, renamed))
    assert f"1 unexpected ({renamed}_)" in said
    assert f"{changed} is 7x7, not " in said


def test_the_three_models_differ_in_frames_alone():
    models = {name: read_configs(model_folder(name)) for name in ("svd", "svd_xt", "svd_xt_1_1")}
    frames = {name: configs["unet"].num_frames for name, configs in models.items()}
    assert frames == {"svd": 14, "svd_xt": 25, "svd_xt_1_1": 25}
    for configs in models.values():
        assert configs["unet"] == UNetConfig(num_frames=configs["unet"].num_frames)
        assert configs["vae"] == VAEConfig() and configs["image_encoder"] == ImageEncoderConfig()
