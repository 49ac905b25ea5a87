"""Wan by its authors' names: every key and shape, diffusers' own renaming, and a small folder read as either."""

import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers, convert_wan_vae_to_diffusers
from safetensors.numpy import load_file, save_file

from convert.loading import open_source
from convert.safetensors_file import TensorInfo
from convert.single_file import open_single_file
from convert.wan_layout import STEMS, TABLES, open_folder, pair, read_configs
from convert.wan_original import as_diffusers
from convert.wan_original_table import has_original_names, original_table
from nvs_jax.configs import configs_folder
from nvs_jax.errors import InputError
from nvs_jax.models.stacked import of_single_layers
from nvs_jax.models.wan.config import parse_transformer
from nvs_jax.models.wan.networks import COMPONENTS
from nvs_jax.models.weights import parameter_specs
from scripts.wan_key_lists import components, read_keys
from tests.conftest import DATA
from tests.convert.published import same, write_json
from tests.models.wan.published import write_published

LISTS = {layout: read_keys(DATA / "keys" / f"{layout}.txt") for layout in ("wan", "wan_original")}


def listed(layout: str, model: str, component: str) -> dict[str, tuple[int, ...]]:
    start = f"{model}/{component}/"
    return {key.removeprefix(start): shape for key, shape in LISTS[layout].items() if key.startswith(start)}


@pytest.mark.parametrize(("model", "component"), list(components()))
def test_every_key_of_both_layouts_is_read_once(model, component):
    config = read_configs(configs_folder("models") / model)[component]
    specs = parameter_specs(COMPONENTS[component].build(config))
    for layout, table in {"wan": TABLES[component], "wan_original": original_table(component, config)}.items():
        source = {key: TensorInfo(shape, "BF16") for key, shape in listed(layout, model, component).items()}
        taken = pair(table, source, specs, layout)
        assert sorted(key for key, _ in taken.values()) == sorted(source)
        assert has_original_names(component, source) == (layout == "wan_original")
        numbers = sum(math.prod(info.shape) for info in source.values())
        assert numbers == sum(math.prod(spec.shape) for spec in specs.values())


@pytest.mark.parametrize("model", sorted({model for model, component in components() if component == "transformer"}))
@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_keys_are_those_that_diffusers_makes_of_the_authors(model, prefix):
    with torch.device("meta"):
        theirs = {
            f"{prefix}{key}": torch.empty(size) for key, size in listed("wan_original", model, "transformer").items()
        }
    made = convert_wan_transformer_to_diffusers(dict(theirs))
    assert {key: tuple(value.shape) for key, value in made.items()} == listed("wan", model, "transformer")
    config = read_configs(configs_folder("models") / model)["transformer"]
    source = {key: TensorInfo(tuple(value.shape), "BF16") for key, value in theirs.items()}
    specs = parameter_specs(COMPONENTS["transformer"].build(config))
    ours = pair(original_table("transformer", config), source, specs, "file")
    for name, (key, _) in ours.items():
        renamed = convert_wan_transformer_to_diffusers({key: theirs[key]})
        assert list(renamed) == [name.replace("vace_proj_in", "vace_blocks.0.proj_in")]


def test_keys_of_the_vae_are_those_that_diffusers_makes_of_the_authors():
    model = "wan2_1_t2v_1_3b"
    config = read_configs(configs_folder("models") / model)["vae"]
    source = {key: TensorInfo(shape, "F32") for key, shape in listed("wan_original", model, "vae").items()}
    taken = pair(original_table("vae", config), source, parameter_specs(COMPONENTS["vae"].build(config)), "file")
    assert convert_wan_vae_to_diffusers({key: name for name, (key, _) in taken.items()}) == {
        name: name for name in taken
    }


AUTHORS: dict[str, dict[str, Any]] = {
    "wan2_1_t2v_1_3b": {"model_type": "t2v", "dim": 1536, "ffn_dim": 8960, "num_heads": 12, "num_layers": 30},
    "wan2_1_vace_1_3b": {
        "_class_name": "VaceWanModel",
        "model_type": "vace",
        **{"dim": 1536, "ffn_dim": 8960, "num_heads": 12, "num_layers": 30},
        **{"vace_layers": list(range(0, 30, 2)), "vace_in_dim": 96},
    },
    "wan2_1_i2v_14b_480p": {
        **{"model_type": "i2v", "dim": 5120, "ffn_dim": 13824, "num_heads": 40, "num_layers": 40, "in_dim": 36}
    },
    "wan2_2_ti2v_5b": {
        **{"model_type": "ti2v", "dim": 3072, "ffn_dim": 14336, "num_heads": 24, "num_layers": 30},
        **{"in_dim": 48, "out_dim": 48},
    },
}


@pytest.mark.parametrize("model", AUTHORS)
def test_the_authors_configuration_says_the_same(model):
    common = {"_class_name": "WanModel", "eps": 1e-6, "freq_dim": 256, "in_dim": 16, "out_dim": 16, "text_len": 512}
    made = parse_transformer(as_diffusers(common | AUTHORS[model], "config.json"), "config.json")
    assert made == read_configs(configs_folder("models") / model)["transformer"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dim": 100}, "dim and num_heads must be whole numbers"),
        ({"model_type": "flf2v"}, "a first and a last picture"),
    ],
)
def test_another_configuration_is_refused(change, said):
    with pytest.raises(InputError, match=said):
        as_diffusers({"_class_name": "WanModel", **AUTHORS["wan2_1_t2v_1_3b"], **change}, "config.json")


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[Path, Path]:
    """A tiny VACE in diffusers' layout, and as its authors would publish it, all under their names."""
    diffusers = write_published(tmp_path_factory.mktemp("wan") / "diffusers", "vace")
    original = diffusers.parent / "original"
    shutil.copytree(diffusers, original)
    (original / "model_index.json").unlink()
    configs = read_configs(diffusers)
    for component, stem in STEMS.items():
        file = original / component / f"{stem}.safetensors"
        specs = of_single_layers(parameter_specs(COMPONENTS[component].build(configs[component])))
        renamed = renaming(original_table(component, configs[component]), specs)
        tensors = load_file(file)
        save_file(
            {renamed[key.replace("vace_blocks.0.proj_in", "vace_proj_in")]: value for key, value in tensors.items()},
            file,
        )
    (original / "transformer" / "diffusion_pytorch_model.safetensors").rename(
        original / "diffusion_pytorch_model.safetensors"
    )
    shutil.rmtree(original / "transformer")
    made = configs["transformer"]
    authors = {"dim": made.width, "num_heads": made.num_attention_heads, "in_dim": made.in_channels}
    authors |= {"out_dim": made.out_channels, "vace_in_dim": made.vace_in_channels, "vace_layers": made.vace_layers}
    authors |= {name: getattr(made, name) for name in ("ffn_dim", "freq_dim", "text_dim", "num_layers", "eps")}
    write_json(original / "config.json", {"_class_name": "VaceWanModel", "model_type": "vace", **authors})
    return diffusers, original


def renaming(table: Any, specs: Any) -> dict[str, str]:
    """Our names -> the authors'."""
    keys = {}
    for rule in table:
        for name in specs:
            found = re.fullmatch(rule.pattern, name)
            if found:
                keys[name] = found.expand(rule.key)
    return keys


@pytest.mark.parametrize("component", ["transformer", "vae", "prompts"])
def test_either_layout_gives_the_same_weights(both, component):
    diffusers, original = (open_source(path) for path in both)
    assert diffusers.configs == original.configs
    for (name, one), (other, two) in zip(diffusers.arrays(component), original.arrays(component), strict=True):
        assert name == other and same(one, np.asarray(two)), name


def test_what_the_authors_publish_as_pickles_is_asked_for(both, tmp_path):
    shutil.copytree(both[1], tmp_path / "folder")
    shutil.rmtree(tmp_path / "folder" / "vae")
    with pytest.raises(InputError, match=r"vae/config\.json is missing: its authors publish it as a pickle"):
        open_source(tmp_path / "folder")
    (tmp_path / "Wan2.1_VAE.pth").touch()
    with pytest.raises(InputError, match=r"is a pickle; pickles are never read: .* in the diffusers layout"):
        open_source(tmp_path / "Wan2.1_VAE.pth")


def test_a_transformer_alone_and_another_models_are_refused_in_a_line(both, tmp_path):
    with pytest.raises(InputError, match=r"a transformer of Wan's alone: put it into transformer/"):
        open_single_file(both[1] / "diffusion_pytorch_model.safetensors")
    shutil.copytree(both[0], tmp_path / "folder")
    file = tmp_path / "folder" / "transformer" / "diffusion_pytorch_model.safetensors"
    shutil.copy(both[0] / "vae" / "diffusion_pytorch_model.safetensors", file)
    with pytest.raises(InputError, match=r"is another network's: none of its .* check which model it is of"):
        open_folder(tmp_path / "folder").load("transformer")
