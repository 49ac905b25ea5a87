"""Makes small published weights: an SVD in diffusers' layout, filled from the parameters its networks ask for."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from safetensors.numpy import save_file

from nvs_jax.models.svd.config import published_form
from nvs_jax.models.weights import ParameterSpec
from scripts.accelerator.sizes import SMALL

CONFIGS = {"unet": SMALL.unet, "vae": SMALL.vae, "image_encoder": SMALL.image_encoder}
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


# The blocks of the small SVD above in the original single-file layout, looked up by hand.
_UNET_BLOCKS = {
    "conv_in.": "input_blocks.0.0.",
    "time_embedding.linear_1.": "time_embed.0.",
    "time_embedding.linear_2.": "time_embed.2.",
    "add_embedding.linear_1.": "label_emb.0.0.",
    "add_embedding.linear_2.": "label_emb.0.2.",
    "down_blocks.0.resnets.0.": "input_blocks.1.0.",
    "down_blocks.0.attentions.0.": "input_blocks.1.1.",
    "down_blocks.0.downsamplers.0.conv.": "input_blocks.2.0.op.",
    "down_blocks.1.resnets.0.": "input_blocks.3.0.",
    "mid_block.resnets.0.": "middle_block.0.",
    "mid_block.attentions.0.": "middle_block.1.",
    "mid_block.resnets.1.": "middle_block.2.",
    "up_blocks.0.resnets.0.": "output_blocks.0.0.",
    "up_blocks.0.resnets.1.": "output_blocks.1.0.",
    "up_blocks.0.upsamplers.0.conv.": "output_blocks.1.1.conv.",
    "up_blocks.1.resnets.0.": "output_blocks.2.0.",
    "up_blocks.1.attentions.0.": "output_blocks.2.1.",
    "up_blocks.1.resnets.1.": "output_blocks.3.0.",
    "up_blocks.1.attentions.1.": "output_blocks.3.1.",
    "conv_norm_out.": "out.0.",
    "conv_out.": "out.2.",
}
_UNET_LAYERS = {
    "spatial_res_block.": "",
    "temporal_res_block.": "time_stack.",
    "temporal_transformer_blocks.": "time_stack.",
    "time_pos_embed.linear_1.": "time_pos_embed.0.",
    "time_pos_embed.linear_2.": "time_pos_embed.2.",
}
_RESNET_LAYERS = {
    "norm1.": "in_layers.0.",
    "conv1.": "in_layers.2.",
    "time_emb_proj.": "emb_layers.1.",
    "norm2.": "out_layers.0.",
    "conv2.": "out_layers.3.",
    "conv_shortcut.": "skip_connection.",
}
_VAE_BLOCKS = {
    "down_blocks.0.resnets.0.": "down.0.block.0.",
    "down_blocks.1.resnets.0.": "down.1.block.0.",
    "down_blocks.0.downsamplers.0.": "down.0.downsample.",
    "up_blocks.0.resnets.0.": "up.1.block.0.",
    "up_blocks.0.resnets.1.": "up.1.block.1.",
    "up_blocks.0.upsamplers.0.": "up.1.upsample.",
    "up_blocks.1.resnets.0.": "up.0.block.0.",
    "up_blocks.1.resnets.1.": "up.0.block.1.",
    "mid_block.resnets.0.": "mid.block_1.",
    "mid_block.resnets.1.": "mid.block_2.",
    "mid_block.attentions.0.group_norm.": "mid.attn_1.norm.",
    "mid_block.attentions.0.to_q.": "mid.attn_1.q.",
    "mid_block.attentions.0.to_k.": "mid.attn_1.k.",
    "mid_block.attentions.0.to_v.": "mid.attn_1.v.",
    "mid_block.attentions.0.to_out.0.": "mid.attn_1.proj_out.",
    "spatial_res_block.": "",
    "time_mixer.": "",
    "conv_norm_out.": "norm_out.",
    "time_conv_out.": "conv_out.time_mix_conv.",
}
_CLIP_LAYERS = {
    "vision_model.embeddings.class_embedding": "class_embedding",
    "vision_model.embeddings.position_embedding.weight": "positional_embedding",
    "vision_model.embeddings.patch_embedding.": "conv1.",
    "vision_model.pre_layrnorm.": "ln_pre.",
    "vision_model.post_layernorm.": "ln_post.",
    "vision_model.encoder.layers.": "transformer.resblocks.",
    "self_attn.": "attn.",
    "layer_norm": "ln_",
    "mlp.fc1.": "mlp.c_fc.",
    "mlp.fc2.": "mlp.c_proj.",
    "visual_projection.weight": "proj",
}


def original_tensors(tensors: Mapping[str, Tensors]) -> Tensors:
    """The tensors of the small SVD, by component, as an original single-file checkpoint would hold them."""
    original = {}
    for key, tensor in tensors["unet"].items():
        block = next(block for block in _UNET_BLOCKS if key.startswith(block))
        inside = _replaced(key.removeprefix(block), _UNET_LAYERS)
        if "resnets" in block:
            inside = _replaced(inside, _RESNET_LAYERS)
        original[f"model.diffusion_model.{_UNET_BLOCKS[block]}{inside}"] = tensor
    for key, tensor in tensors["vae"].items():
        over_time = "temporal_res_block." in key
        inside = _replaced(key.replace("temporal_res_block.", "time_stack."), _VAE_BLOCKS)
        inside = _replaced(inside, _RESNET_LAYERS if over_time else {"conv_shortcut.": "nin_shortcut."})
        convolution = "attn_1" in inside and tensor.ndim == 2
        prefix = "first_stage_model" if key.startswith("decoder.") else "conditioner.embedders.3.encoder"
        original[f"{prefix}.{inside}"] = tensor[:, :, None, None] if convolution else tensor
    clip = "conditioner.embedders.0.open_clip.model.visual."
    for key, tensor in tensors["image_encoder"].items():
        name = clip + _replaced(key, _CLIP_LAYERS)
        if "q_proj" in key:
            parts = [tensors["image_encoder"][key.replace("q_proj", part)] for part in ("q_proj", "k_proj", "v_proj")]
            original[name.replace("q_proj.", "in_proj_")] = np.concatenate(parts)
        elif "k_proj" not in key and "v_proj" not in key:
            original[name] = np.ascontiguousarray(tensor.T) if name.endswith("proj") else tensor
    return original


def _replaced(key: str, names: Mapping[str, str]) -> str:
    for ours, theirs in names.items():
        key = key.replace(ours, theirs)
    return key
