"""Wan's published folders: every key and shape of every model at full size, and a small folder read whole."""

import functools
import json
import math
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
from diffusers.models.transformers.transformer_wan_vace import WanVACETransformer3DModel
from safetensors.numpy import save_file
from transformers import UMT5Config, UMT5EncoderModel

from convert.published_folders import open_folder
from convert.safetensors_file import TensorInfo
from convert.wan_layout import TABLES, pair, read_configs
from nvs_jax.configs import configs_folder
from nvs_jax.errors import InputError
from nvs_jax.models.stacked import layer_names, of_layer, of_single_layers
from nvs_jax.models.umt5.config import TextEncoderConfig, published_text_encoder
from nvs_jax.models.umt5.encoder import TextEncoder
from nvs_jax.models.wan.config import TransformerConfig, published_transformer, published_vae
from nvs_jax.models.wan.networks import COMPONENTS
from nvs_jax.models.wan.prompts import UNWANTED, WANTED, PromptsConfig
from nvs_jax.models.weights import ParameterSpec, bind, parameter_specs
from tests.convert.published import published_tensors, same, write_json
from tests.convert.test_wan_prompts import write_tokenizer
from tests.models.wan.tiny import CONFIGS

KINDS: dict[str, Any] = {
    kind.__name__: kind for kind in (WanTransformer3DModel, WanVACETransformer3DModel, AutoencoderKLWan)
}
# Keys, and numbers in all; of the VAEs as published, of the text encoder 11.4 GB in bfloat16.
PUBLISHED = {
    ("wan2_1_t2v_1_3b", "transformer"): (825, 1.419e9),
    ("wan2_1_vace_1_3b", "transformer"): (1264, 2.154e9),
    ("wan2_1_i2v_14b_480p", "transformer"): (None, 16.395e9),
    ("wan2_1_i2v_14b_720p", "transformer"): (None, 16.395e9),
    ("wan2_2_ti2v_5b", "transformer"): (825, 5.000e9),
    ("wan2_1_t2v_1_3b", "vae"): (194, 0.127e9),
    ("wan2_2_ti2v_5b", "vae"): (196, 0.705e9),
    ("wan2_1_t2v_1_3b", "text_encoder"): (242, 5.681e9),
}


@functools.cache
def theirs(model: str, component: str) -> dict[str, TensorInfo]:
    """Keys and shapes of the published class, without values."""
    config = json.loads((configs_folder("models") / model / component / "config.json").read_text())
    with torch.device("meta"):
        if component == "text_encoder":
            made: Any = UMT5EncoderModel(UMT5Config(**config))
        else:
            made = KINDS[config["_class_name"]].from_config(config)
    return {name: TensorInfo(tuple(value.shape), "BF16") for name, value in made.named_parameters()}


@functools.cache
def ours(model: str, component: str) -> dict[str, ParameterSpec]:
    config = read_configs(configs_folder("models") / model)[component]
    return parameter_specs(COMPONENTS[component].build(config))


@pytest.mark.parametrize(("model", "component"), PUBLISHED)
def test_every_published_tensor_is_read_once(model, component):
    source, specs = theirs(model, component), ours(model, component)
    taken = pair(TABLES[component], source, specs, "published")
    assert sorted(key for key, _ in taken.values()) == sorted(source)
    keys, numbers = PUBLISHED[model, component]
    assert keys in (None, len(source))
    assert sum(math.prod(spec.shape) for spec in specs.values()) == pytest.approx(numbers, rel=5e-4, abs=5e5)


def test_the_norm_of_queries_that_no_network_has_is_left_out():
    source = dict(theirs("wan2_1_i2v_14b_480p", "transformer"))
    source["blocks.7.attn2.norm_added_q.weight"] = TensorInfo((5120,), "BF16")
    pair(TABLES["transformer"], source, ours("wan2_1_i2v_14b_480p", "transformer"), "published")


def test_a_key_that_is_missing_or_left_over_is_named():
    source = dict(theirs("wan2_1_t2v_1_3b", "transformer"))
    source["blocks.30.ffn.net.2.bias"] = source.pop("blocks.29.ffn.net.2.bias")
    with pytest.raises(InputError, match=r"1 missing \(blocks\.29\.ffn.*1 unexpected \(blocks\.30\.ffn"):
        pair(TABLES["transformer"], source, ours("wan2_1_t2v_1_3b", "transformer"), "published")


SMALL = {
    "transformer": TransformerConfig(
        **{field: getattr(CONFIGS["transformer"], field) for field in ("attention_head_dim", "text_dim", "freq_dim")},
        num_attention_heads=1,
        ffn_dim=16,
        num_layers=2,
        vace_layers=(0, 1),
        vace_in_channels=4,
    ),
    "vae": CONFIGS["vae"],
    "text_encoder": TextEncoderConfig(vocab_size=9, d_model=6, d_kv=2, d_ff=8, num_layers=2, num_heads=3),
}
PUBLISH = {"transformer": published_transformer, "vae": published_vae, "text_encoder": published_text_encoder}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> tuple[Path, dict[str, dict[str, np.ndarray]]]:
    path = tmp_path_factory.mktemp("wan")
    write_json(path / "model_index.json", {"_class_name": "WanVACEPipeline"})
    tensors = {}
    for component, config in SMALL.items():
        specs = of_single_layers(parameter_specs(COMPONENTS[component].build(config)))
        tensors[component] = {
            name.replace("vace_proj_in", "vace_blocks.0.proj_in"): value
            for name, value in published_tensors(specs).items()
        }
        write_json(path / component / "config.json", PUBLISH[component](config))
        stem = "model" if component == "text_encoder" else "diffusion_pytorch_model"
        save_file(tensors[component], path / component / f"{stem}.safetensors")
    return path, tensors


@pytest.mark.parametrize("component", ["transformer", "vae"])
def test_layers_lie_side_by_side_bit_for_bit(folder, component):
    path, tensors = folder
    opened = open_folder(path)
    prompts = {"prompts": PromptsConfig(512, 6, (WANTED, UNWANTED))}
    assert opened.family == "wan"
    assert opened.configs == {"transformer": SMALL["transformer"], "vae": SMALL["vae"]} | prompts
    weights = opened.load(component)
    for name, spec in parameter_specs(COMPONENTS[component].build(SMALL[component])).items():
        keys = [each.replace("vace_proj_in", "vace_blocks.0.proj_in") for each in layer_names(name, spec)]
        layers = [tensors[component][key].transpose(spec.published_axes) for key in keys]
        assert same(weights[name], np.stack(layers) if spec.layers else layers[0])


def test_of_the_text_encoder_only_what_it_makes_of_the_prompts_is_kept(folder):
    path, tensors = folder
    write_tokenizer(path / "tokenizer")
    opened = open_folder(path, texts=(" a  still scene",))
    assert opened.configs["prompts"].texts == (WANTED, UNWANTED, "a still scene")
    weights, narrow = opened.load("prompts"), opened.load("prompts", "bfloat16")
    specs = parameter_specs(TextEncoder(SMALL["text_encoder"]))
    stacked = {
        name: np.stack([tensors["text_encoder"][key].transpose(spec.published_axes) for key in layer_names(name, spec)])
        for name, spec in specs.items()
    }
    held = {name: jnp.asarray(stacked[name] if spec.layers else stacked[name][0]) for name, spec in specs.items()}
    tokens = jnp.array([[3, 4, 5, 1]])
    expected = bind(TextEncoder(SMALL["text_encoder"]), held)(tokens, jnp.ones((1, 4), bool))
    assert (narrow["embeddings"].shape, str(narrow["embeddings"].dtype)) == ((3, 512, 6), "bfloat16")
    np.testing.assert_allclose(weights["embeddings"][2, :4], expected[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(opened.configs["prompts"].embed("a still scene")[:4], expected[0], rtol=1e-4, atol=1e-4)


def test_the_vae_stays_in_float32(folder):
    opened = open_folder(folder[0])
    assert {value.dtype for value in opened.load("vae", "bfloat16").values()} == {np.dtype("float32")}
    assert {str(value.dtype) for value in opened.load("transformer", "bfloat16").values()} == {"bfloat16"}


def test_another_pipeline_or_a_missing_configuration_is_refused(folder, tmp_path):
    write_json(tmp_path / "model_index.json", {"_class_name": "FluxPipeline"})
    with pytest.raises(InputError, match=r"is a FluxPipeline, none that this version knows: .*WanPipeline"):
        open_folder(tmp_path)
    write_json(tmp_path / "model_index.json", {"_class_name": "WanPipeline", "boundary_ratio": 0.875})
    with pytest.raises(InputError, match="two transformers"):
        open_folder(tmp_path)
    write_json(tmp_path / "model_index.json", {"_class_name": "WanPipeline"})
    with pytest.raises(InputError, match=r"transformer/config\.json is missing"):
        open_folder(tmp_path)


def test_a_number_that_is_none_is_named_with_its_layer(folder, tmp_path):
    path, tensors = folder
    name = of_layer("blocks.each.ffn.net.2.bias", 1)
    for part in ("model_index.json", *(f"{component}/config.json" for component in SMALL)):
        write_json(tmp_path / part, json.loads((path / part).read_text()))
    broken = tensors["transformer"] | {name: np.full_like(tensors["transformer"][name], np.nan)}
    save_file(broken, tmp_path / "transformer" / "diffusion_pytorch_model.safetensors")
    with pytest.raises(InputError, match=r"of blocks\.1\.ffn\.net\.2\.bias are NaN"):
        open_folder(tmp_path).load("transformer")
