"""Makes small published weights: an SVD in diffusers' layout, filled from the parameters its networks ask for."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from safetensors.numpy import save_file

from nvs_jax.models.svd.config import ImageEncoderConfig, UNetConfig, VAEConfig, published_form
from nvs_jax.models.weights import ParameterSpec

CONFIGS = {
    "unet": UNetConfig(
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
        block_out_channels=(32, 64),
        addition_time_embed_dim=32,
        projection_class_embeddings_input_dim=96,
        layers_per_block=(1, 1),
        cross_attention_dim=(16, 16),
        transformer_layers_per_block=((1,), (1,)),
        num_attention_heads=(1, 2),
    ),
    "vae": VAEConfig(down_block_types=("DownEncoderBlock2D",) * 2, block_out_channels=(32, 64), layers_per_block=1),
    "image_encoder": ImageEncoderConfig(
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=28,
        projection_dim=16,
    ),
}
STEMS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "image_encoder": "model"}

Tensors = dict[str, np.ndarray]


def published_tensors(specs: Mapping[str, ParameterSpec], dtype: Any = np.float32) -> Tensors:
    """Random tensors as the published files would hold them."""
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(spec.published_shape).astype(dtype) for name, spec in specs.items()}


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def write_folder(folder: Path, tensors: Mapping[str, Tensors]) -> Path:
    """A whole pipeline; `tensors` by component."""
    write_json(folder / "model_index.json", {"_class_name": "StableVideoDiffusionPipeline"})
    write_json(folder / "scheduler" / "scheduler_config.json", {"prediction_type": "v_prediction"})
    for component, config in CONFIGS.items():
        write_json(folder / component / "config.json", published_form(config))
        save_file(tensors[component], folder / component / f"{STEMS[component]}.safetensors")
    return folder


def write_shards(folder: Path, stem: str, tensors: Tensors, variant: str = "") -> list[str]:
    """`tensors` in two shards and their index, as diffusers writes them. Returns the shards' names."""
    keys = sorted(tensors)
    parts = (keys[: len(keys) // 2], keys[len(keys) // 2 :])
    names = [f"{stem}-0000{number}-of-00002{variant}.safetensors" for number in (1, 2)]
    for name, part in zip(names, parts, strict=True):
        save_file({key: tensors[key] for key in part}, folder / name)
    weight_map = {key: name for name, part in zip(names, parts, strict=True) for key in part}
    write_json(folder / f"{stem}.safetensors.index{variant}.json", {"metadata": {}, "weight_map": weight_map})
    return names


def same(ours: jax.Array, published: np.ndarray) -> bool:
    """Bit for bit, dtype included."""
    ours_here = np.asarray(ours)
    return ours_here.dtype == published.dtype and ours_here.tobytes() == np.ascontiguousarray(published).tobytes()
