"""A tiny Wan as it would be published: a folder in diffusers' layout, with a text encoder of a few words."""

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from nvs_jax.models.stacked import layer_names
from nvs_jax.models.umt5.config import TextEncoderConfig, published_text_encoder
from nvs_jax.models.umt5.encoder import TextEncoder
from nvs_jax.models.wan.family import FAMILY
from nvs_jax.models.weights import Weights, parameter_specs, random_weights
from tests.convert.published import Tensors, write_json
from tests.convert.test_wan_prompts import write_tokenizer
from tests.models.wan.tiny import Kind, configs_of, tiny_wan

PIPELINES = {"text": "WanPipeline", "vace": "WanVACEPipeline", "image": "WanImageToVideoPipeline"}
TEXT_ENCODER = TextEncoderConfig(vocab_size=9, d_model=6, d_kv=2, d_ff=8, num_layers=2, num_heads=3)


def write_published(folder: Path, kind: Kind = "text") -> Path:
    """The networks of `tiny_wan`, and a text encoder in place of its prompts."""
    write_json(folder / "model_index.json", {"_class_name": PIPELINES[kind]})
    for component, config in configs_of(kind).items():
        if component != "prompts":
            tensors = _published(FAMILY.build(config), tiny_wan(kind).networks.weights(component))
            stem = "model" if component == "image_encoder" else "diffusion_pytorch_model"
            if component == "image_encoder":  # as in the published files, which have more than is read
                tensors["visual_projection.weight"] = np.zeros((config.projection_dim, config.hidden_size), np.float32)
            _write(folder / component, stem, FAMILY.published(config), tensors)
    encoder = TextEncoder(TEXT_ENCODER)
    tensors = _published(encoder, random_weights(encoder, 9))
    _write(folder / "text_encoder", "model", published_text_encoder(TEXT_ENCODER), tensors)
    write_tokenizer(folder / "tokenizer")
    return folder


def _write(folder: Path, stem: str, config: dict[str, Any], tensors: Tensors) -> None:
    write_json(folder / "config.json", config)
    save_file(tensors, folder / f"{stem}.safetensors")


def _published(module: Any, weights: Weights) -> Tensors:
    """Layer by layer, axes and names as published."""
    tensors: Tensors = {}
    for name, spec in parameter_specs(module).items():
        layers = np.asarray(weights[name]) if spec.layers else np.asarray(weights[name])[None]
        for each, layer in zip(layer_names(name, spec), layers, strict=True):
            key = each.replace("vace_proj_in", "vace_blocks.0.proj_in")
            tensors[key] = np.ascontiguousarray(layer.transpose(np.argsort(spec.published_axes)))
    return tensors
