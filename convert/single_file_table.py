"""The key table of SVD's original single-file checkpoints, named by Stability's generative-models.

A parameter is called "component/name" here, since one file holds all three networks. The image of the condition is
encoded by the conditioner's own VAE (embedder 3), which has the quantisation layer; frames are decoded by the first
stage, which has the layers over time. Both blends (`mix_factor`) mean the same in either layout, so that nothing but
names, linear layers kept as 1x1 convolutions, and CLIP's fused projections differ.
"""

import re
from collections.abc import Iterator

from convert.key_table import Ignored, KeyTable, Rule
from convert.tensor_changes import POINTWISE, TRANSPOSED, UNCHANGED, Change, part
from nvs_jax.models.svd.config import UNetConfig, VAEConfig

UNET = "model.diffusion_model"
CLIP = "conditioner.embedders.0.open_clip.model"
ENCODER_VAE = "conditioner.embedders.3.encoder"
DECODER_VAE = "first_stage_model"

# Names inside a block, ours and theirs.
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET_RESNET = {
    f"{ours}.{layer}": f"{theirs}{name}"
    for ours, theirs in (("spatial_res_block", ""), ("temporal_res_block", "time_stack."))
    for layer, name in _RESNET.items()
}
_VAE_LAYERS = {name: name for name in ("norm1", "conv1", "norm2", "conv2")} | {"conv_shortcut": "nin_shortcut"}
_VAE_RESNET = {f"spatial_res_block.{ours}": theirs for ours, theirs in _VAE_LAYERS.items()} | {
    f"temporal_res_block.{ours}": f"time_stack.{theirs}" for ours, theirs in _RESNET.items()
}
_TRANSFORMER = {name: name for name in ("norm", "proj_in", "proj_out")} | {
    "time_pos_embed.linear_1": "time_pos_embed.0",
    "time_pos_embed.linear_2": "time_pos_embed.2",
}
_PIXEL_ATTENTION = {"to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}

_VAE_BLOCK = r"(norm1|conv1|norm2|conv2|nin_shortcut)\.(weight|bias)"
_PLAIN_VAE_HALF = (
    r"((conv_in|norm_out|conv_out)\.(weight|bias)"
    rf"|(down|up)\.\d\.(block\.\d\.{_VAE_BLOCK}|(down|up)sample\.conv\.(weight|bias))"
    rf"|mid\.(block_[12]\.{_VAE_BLOCK}|attn_1\.(norm|q|k|v|proj_out)\.(weight|bias)))"
)
_UNUSED = (
    Ignored(
        re.escape(CLIP) + r"\.(positional_embedding|text_projection|logit_scale|attn_mask|token_embedding\.weight"
        r"|ln_final\.(weight|bias))",
        "it belongs to CLIP's text encoder",
    ),
    Ignored(rf"{DECODER_VAE}\.encoder\.{_PLAIN_VAE_HALF}", "pictures are encoded by the conditioner's VAE"),
    Ignored(
        rf"{re.escape(ENCODER_VAE)}\.(decoder\.{_PLAIN_VAE_HALF}|post_quant_conv\.(weight|bias))",
        "videos are decoded by the first stage",
    ),
)


def single_file_table(unet: UNetConfig, vae: VAEConfig) -> KeyTable:
    """The rules for networks of these sizes; blocks are numbered through in the file, so that they depend on them."""
    return (*_unet(unet), *_vae(vae), *_image_encoder(), *_UNUSED)


def _layers(ours: str, theirs: str, names: dict[str, str], change: Change = UNCHANGED) -> Iterator[Rule]:
    """Rules for layers with a weight and a bias inside the module (or component) `ours`; `change` is the weight's."""
    for name, key in names.items():
        pattern = re.escape(f"{ours}.{name}" if "/" in ours else f"{ours}/{name}")
        if change is UNCHANGED:
            yield Rule(rf"{pattern}\.(weight|bias)", rf"{theirs}.{key}.\1")
        else:
            yield Rule(rf"{pattern}\.weight", f"{theirs}.{key}.weight", change=change)
            yield Rule(rf"{pattern}\.bias", f"{theirs}.{key}.bias")


def _unet(config: UNetConfig) -> Iterator[Rule]:
    layers, last = config.layers_per_block, len(config.layers_per_block) - 1
    yield from _layers("unet/time_embedding", f"{UNET}.time_embed", {"linear_1": "0", "linear_2": "2"})
    yield from _layers("unet/add_embedding", f"{UNET}.label_emb.0", {"linear_1": "0", "linear_2": "2"})
    yield from _layers("unet", UNET, {"conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2"})

    number = 1
    for level, kind in enumerate(config.down_block_types):
        block = f"unet/down_blocks.{level}"
        for layer in range(layers[level]):
            yield from _unet_blocks(block, layer, f"{UNET}.input_blocks.{number}", kind)
            number += 1
        if level < last:
            yield from _layers(f"{block}.downsamplers.0", f"{UNET}.input_blocks.{number}.0", {"conv": "op"})
            number += 1

    yield from _resnet("unet/mid_block.resnets.0", f"{UNET}.middle_block.0")
    yield from _transformer("unet/mid_block.attentions.0", f"{UNET}.middle_block.1")
    yield from _resnet("unet/mid_block.resnets.1", f"{UNET}.middle_block.2")

    number = 0
    for level, kind in enumerate(config.up_block_types):
        block = f"unet/up_blocks.{level}"
        for layer in range(layers[last - level] + 1):
            yield from _unet_blocks(block, layer, f"{UNET}.output_blocks.{number}", kind)
            number += 1
        if level < last:
            upsampler = f"{UNET}.output_blocks.{number - 1}.{2 if kind.startswith('CrossAttn') else 1}"
            yield from _layers(f"{block}.upsamplers.0", upsampler, {"conv": "conv"})


def _unet_blocks(block: str, layer: int, theirs: str, kind: str) -> Iterator[Rule]:
    yield from _resnet(f"{block}.resnets.{layer}", f"{theirs}.0")
    if kind.startswith("CrossAttn"):
        yield from _transformer(f"{block}.attentions.{layer}", f"{theirs}.1")


def _resnet(ours: str, theirs: str) -> Iterator[Rule]:
    yield from _layers(ours, theirs, _UNET_RESNET)
    yield Rule(re.escape(f"{ours}.time_mixer.mix_factor"), f"{theirs}.time_mixer.mix_factor")


def _transformer(ours: str, theirs: str) -> Iterator[Rule]:
    yield from _layers(ours, theirs, _TRANSFORMER)
    inside = r"\.(\d+)\.((?:norm|attn|ff).+)"  # named alike in both layouts
    yield Rule(re.escape(f"{ours}.transformer_blocks") + inside, rf"{theirs}.transformer_blocks.\1.\2")
    yield Rule(re.escape(f"{ours}.temporal_transformer_blocks") + inside, rf"{theirs}.time_stack.\1.\2")
    yield Rule(re.escape(f"{ours}.time_mixer.mix_factor"), f"{theirs}.time_mixer.mix_factor")


def _vae(config: VAEConfig) -> Iterator[Rule]:
    levels, layers = len(config.block_out_channels), config.layers_per_block
    ours, theirs = "vae/encoder", f"{ENCODER_VAE}.encoder"
    ends = {"conv_in": "conv_in", "conv_norm_out": "norm_out", "conv_out": "conv_out"}
    yield from _layers("vae", ENCODER_VAE, {"quant_conv": "quant_conv"})
    yield from _layers(ours, theirs, ends)
    for level in range(levels):
        for layer in range(layers):
            block = f"{ours}.down_blocks.{level}.resnets.{layer}"
            yield from _layers(block, f"{theirs}.down.{level}.block.{layer}", _VAE_LAYERS)
        yield from _layers(f"{ours}.down_blocks.{level}.downsamplers.0", f"{theirs}.down.{level}.downsample", _CONV)
    for layer in range(2):
        yield from _layers(f"{ours}.mid_block.resnets.{layer}", f"{theirs}.mid.block_{layer + 1}", _VAE_LAYERS)
    yield from _pixel_attention(ours, theirs)

    ours, theirs = "vae/decoder", f"{DECODER_VAE}.decoder"
    yield from _layers(ours, theirs, ends | {"time_conv_out": "conv_out.time_mix_conv"})
    for layer in range(layers):
        yield from _temporal_resnet(f"{ours}.mid_block.resnets.{layer}", f"{theirs}.mid.block_{layer + 1}")
    yield from _pixel_attention(ours, theirs)
    for level in range(levels):
        block, up = f"{ours}.up_blocks.{level}", f"{theirs}.up.{levels - 1 - level}"  # theirs: 0 is the finest
        for layer in range(layers + 1):
            yield from _temporal_resnet(f"{block}.resnets.{layer}", f"{up}.block.{layer}")
        yield from _layers(f"{block}.upsamplers.0", f"{up}.upsample", _CONV)


_CONV = {"conv": "conv"}


def _temporal_resnet(ours: str, theirs: str) -> Iterator[Rule]:
    yield from _layers(ours, theirs, _VAE_RESNET)
    yield Rule(re.escape(f"{ours}.time_mixer.mix_factor"), f"{theirs}.mix_factor")


def _pixel_attention(ours: str, theirs: str) -> Iterator[Rule]:
    ours, theirs = f"{ours}.mid_block.attentions.0", f"{theirs}.mid.attn_1"
    yield from _layers(ours, theirs, {"group_norm": "norm"})
    yield from _layers(ours, theirs, _PIXEL_ATTENTION, POINTWISE)


def _image_encoder() -> Iterator[Rule]:
    ours, theirs = "image_encoder/vision_model", f"{CLIP}.visual"
    yield Rule(re.escape(f"{ours}.embeddings.class_embedding"), f"{theirs}.class_embedding")
    yield Rule(re.escape(f"{ours}.embeddings.position_embedding.weight"), f"{theirs}.positional_embedding")
    yield Rule(re.escape(f"{ours}.embeddings.patch_embedding.weight"), f"{theirs}.conv1.weight")
    yield from _layers(ours, theirs, {"pre_layrnorm": "ln_pre", "post_layernorm": "ln_post"})
    yield Rule(re.escape("image_encoder/visual_projection.weight"), f"{theirs}.proj", change=TRANSPOSED)

    ours, theirs = re.escape(f"{ours}.encoder.layers") + r"\.(\d+)", rf"{theirs}.transformer.resblocks.\1"
    for index, name in enumerate(("q_proj", "k_proj", "v_proj")):
        yield Rule(rf"{ours}\.self_attn\.{name}\.(weight|bias)", rf"{theirs}.attn.in_proj_\2", change=part(index, 3))
    names = {"self_attn.out_proj": "attn.out_proj", "layer_norm1": "ln_1", "layer_norm2": "ln_2"}
    for name, key in (names | {"mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}).items():
        yield Rule(rf"{ours}\.{re.escape(name)}\.(weight|bias)", rf"{theirs}.{key}.\2")
