"""Write the names and shapes of every published tensor, of SVD and of Depth Anything V2, into tests/data/keys.

    python scripts/key_lists.py

SVD, SVD-XT and SVD-XT-1.1 share theirs: nothing depends on the number of frames. The diffusers layout is asked of
diffusers' and transformers' own classes at full size, without values. The single-file layout is spelt out here from the
structure of generative-models' modules (VideoUNet, VideoDecoder, and the conditioner's OpenCLIP and AutoencoderKL, as
configs/inference/svd.yaml puts them together), without a look at the key table it is there to test.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

Shape = tuple[int, ...]
Keys = dict[str, Shape]

ROOT = Path(__file__).parents[1]
LISTS = ROOT / "tests" / "data" / "keys"
CONFIGS = ROOT / "configs" / "models" / "svd_xt"

WIDTH, TIME, CONTEXT = 320, 1280, 1024
LEVELS = (1, 2, 4, 4)
ATTENTION_LEVELS = (0, 1, 2)
RESNETS = 2
VAE_WIDTH = 128


def diffusers_keys() -> Keys:
    """ "component/key" -> shape, of the classes that load the published folders."""
    import torch
    from diffusers.models.autoencoders.autoencoder_kl_temporal_decoder import AutoencoderKLTemporalDecoder
    from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    configs = {name: json.loads((CONFIGS / name / "config.json").read_text()) for name in ("unet", "vae")}
    with torch.device("meta"):
        modules = {
            "unet": UNetSpatioTemporalConditionModel.from_config(configs["unet"]),
            "vae": AutoencoderKLTemporalDecoder.from_config(configs["vae"]),
            "image_encoder": CLIPVisionModelWithProjection(
                CLIPVisionConfig.from_json_file(CONFIGS / "image_encoder" / "config.json")
            ),
        }
    # What a file holds is the state dict; buffers that only count positions are not saved.
    return {
        f"{component}/{key}": tuple(tensor.shape)
        for component, module in modules.items()
        for key, tensor in module.state_dict().items()
    }


def single_file_keys() -> Keys:
    """Key -> shape, of an original checkpoint."""
    clip = "conditioner.embedders.0.open_clip.model"
    plain_vae = "conditioner.embedders.3.encoder"
    keys: Keys = {}
    keys |= under("model.diffusion_model", dict(unet()))
    keys |= under("first_stage_model.encoder", dict(vae_encoder()))
    keys |= under("first_stage_model.decoder", dict(vae_decoder(temporal=True)))
    keys |= under(f"{clip}.visual", dict(clip_image()))
    keys |= under(clip, dict(clip_text()))
    keys |= under(f"{plain_vae}.encoder", dict(vae_encoder()))
    keys |= under(f"{plain_vae}.decoder", dict(vae_decoder(temporal=False)))
    keys |= under(plain_vae, dict(layer("quant_conv", 8, 8, 1, 1)) | dict(layer("post_quant_conv", 4, 4, 1, 1)))
    return keys


def under(prefix: str, keys: Mapping[str, Shape]) -> Keys:
    """The keys of a module that is an attribute."""
    return {f"{prefix}.{key}": shape for key, shape in keys.items()}


def layer(name: str, out: int, *rest: int, bias: bool = True) -> Iterator[tuple[str, Shape]]:
    """A linear layer (out, in), a convolution (out, in, *kernel), or a norm (channels)."""
    yield f"{name}.weight", (out, *rest)
    if bias:
        yield f"{name}.bias", (out,)


def unet() -> Iterator[tuple[str, Shape]]:
    """VideoUNet."""
    for name, wide in (("time_embed", WIDTH), ("label_emb.0", 768)):
        yield from layer(f"{name}.0", TIME, wide)
        yield from layer(f"{name}.2", TIME, TIME)
    yield from layer("input_blocks.0.0", WIDTH, 8, 3, 3)
    channels, skips, number = WIDTH, [WIDTH], 1
    for level, multiple in enumerate(LEVELS):
        for _ in range(RESNETS):
            yield from video_resnet(f"input_blocks.{number}.0", channels, multiple * WIDTH)
            channels = multiple * WIDTH
            if level in ATTENTION_LEVELS:
                yield from video_transformer(f"input_blocks.{number}.1", channels)
            skips.append(channels)
            number += 1
        if level + 1 < len(LEVELS):
            yield from layer(f"input_blocks.{number}.0.op", channels, channels, 3, 3)
            skips.append(channels)
            number += 1
    yield from video_resnet("middle_block.0", channels, channels)
    yield from video_transformer("middle_block.1", channels)
    yield from video_resnet("middle_block.2", channels, channels)
    number = 0
    for level in reversed(range(len(LEVELS))):
        for index in range(RESNETS + 1):
            wide = LEVELS[level] * WIDTH
            yield from video_resnet(f"output_blocks.{number}.0", channels + skips.pop(), wide)
            channels, place = wide, 1
            if level in ATTENTION_LEVELS:
                yield from video_transformer(f"output_blocks.{number}.1", channels)
                place = 2
            if level and index == RESNETS:
                yield from layer(f"output_blocks.{number}.{place}.conv", channels, channels, 3, 3)
            number += 1
    yield from layer("out.0", channels)
    yield from layer("out.2", 4, channels, 3, 3)


def video_resnet(name: str, wide: int, out: int) -> Iterator[tuple[str, Shape]]:
    """VideoResBlock of the UNet: one block over space, one over time, one number to blend them."""
    yield from resnet(name, wide, out, (3, 3), time=True)
    yield from resnet(f"{name}.time_stack", out, out, (3, 1, 1), time=True)
    yield f"{name}.time_mixer.mix_factor", (1,)


def resnet(name: str, wide: int, out: int, kernel: Shape, *, time: bool) -> Iterator[tuple[str, Shape]]:
    """ResBlock."""
    yield from layer(f"{name}.in_layers.0", wide)
    yield from layer(f"{name}.in_layers.2", out, wide, *kernel)
    if time:
        yield from layer(f"{name}.emb_layers.1", out, TIME)
    yield from layer(f"{name}.out_layers.0", out)
    yield from layer(f"{name}.out_layers.3", out, out, *kernel)
    if wide != out:
        yield from layer(f"{name}.skip_connection", out, wide, 1, 1)


def video_transformer(name: str, channels: int) -> Iterator[tuple[str, Shape]]:
    """SpatialVideoTransformer with linear projections, of depth 1."""
    yield from layer(f"{name}.norm", channels)
    yield from layer(f"{name}.proj_in", channels, channels)
    yield from transformer_block(f"{name}.transformer_blocks.0", channels)
    yield from layer(f"{name}.time_stack.0.norm_in", channels)
    yield from feed_forward(f"{name}.time_stack.0.ff_in", channels)
    yield from transformer_block(f"{name}.time_stack.0", channels)
    yield from layer(f"{name}.time_pos_embed.0", 4 * channels, channels)
    yield from layer(f"{name}.time_pos_embed.2", channels, 4 * channels)
    yield f"{name}.time_mixer.mix_factor", (1,)
    yield from layer(f"{name}.proj_out", channels, channels)


def transformer_block(name: str, channels: int) -> Iterator[tuple[str, Shape]]:
    """Self-attention, cross-attention and feed-forward, each with its norm."""
    for number, context in ((1, channels), (2, CONTEXT)):
        yield from layer(f"{name}.norm{number}", channels)
        yield from layer(f"{name}.attn{number}.to_q", channels, channels, bias=False)
        yield from layer(f"{name}.attn{number}.to_k", channels, context, bias=False)
        yield from layer(f"{name}.attn{number}.to_v", channels, context, bias=False)
        yield from layer(f"{name}.attn{number}.to_out.0", channels, channels)
    yield from layer(f"{name}.norm3", channels)
    yield from feed_forward(f"{name}.ff", channels)


def feed_forward(name: str, channels: int) -> Iterator[tuple[str, Shape]]:
    """A gated layer of four times the width, which needs eight, and back."""
    yield from layer(f"{name}.net.0.proj", 8 * channels, channels)
    yield from layer(f"{name}.net.2", channels, 4 * channels)


def vae_encoder() -> Iterator[tuple[str, Shape]]:
    """Encoder of the autoencoder, with mean and log-variance out."""
    yield from layer("conv_in", VAE_WIDTH, 3, 3, 3)
    channels = VAE_WIDTH
    for level, multiple in enumerate(LEVELS):
        for index in range(RESNETS):
            yield from vae_resnet(f"down.{level}.block.{index}", channels, multiple * VAE_WIDTH)
            channels = multiple * VAE_WIDTH
        if level + 1 < len(LEVELS):
            yield from layer(f"down.{level}.downsample.conv", channels, channels, 3, 3)
    yield from vae_middle(channels, temporal=False)
    yield from layer("norm_out", channels)
    yield from layer("conv_out", 8, channels, 3, 3)


def vae_decoder(*, temporal: bool) -> Iterator[tuple[str, Shape]]:
    """Decoder, or VideoDecoder with layers over time ("conv-only")."""
    channels = LEVELS[-1] * VAE_WIDTH
    yield from layer("conv_in", channels, 4, 3, 3)
    yield from vae_middle(channels, temporal=temporal)
    for level in reversed(range(len(LEVELS))):
        for index in range(RESNETS + 1):
            wide = LEVELS[level] * VAE_WIDTH
            yield from vae_resnet(f"up.{level}.block.{index}", channels, wide, temporal=temporal)
            channels = wide
        if level:
            yield from layer(f"up.{level}.upsample.conv", channels, channels, 3, 3)
    yield from layer("norm_out", channels)
    yield from layer("conv_out", 3, channels, 3, 3)
    if temporal:
        yield from layer("conv_out.time_mix_conv", 3, 3, 3, 1, 1)


def vae_middle(channels: int, *, temporal: bool) -> Iterator[tuple[str, Shape]]:
    """Two blocks, and between them attention made of 1x1 convolutions."""
    yield from vae_resnet("mid.block_1", channels, channels, temporal=temporal)
    yield from layer("mid.attn_1.norm", channels)
    for name in ("q", "k", "v", "proj_out"):
        yield from layer(f"mid.attn_1.{name}", channels, channels, 1, 1)
    yield from vae_resnet("mid.block_2", channels, channels, temporal=temporal)


def vae_resnet(name: str, wide: int, out: int, *, temporal: bool = False) -> Iterator[tuple[str, Shape]]:
    """ResnetBlock, or VideoResBlock of the autoencoder."""
    yield from layer(f"{name}.norm1", wide)
    yield from layer(f"{name}.conv1", out, wide, 3, 3)
    yield from layer(f"{name}.norm2", out)
    yield from layer(f"{name}.conv2", out, out, 3, 3)
    if wide != out:
        yield from layer(f"{name}.nin_shortcut", out, wide, 1, 1)
    if temporal:
        yield from resnet(f"{name}.time_stack", out, out, (3, 1, 1), time=False)
        yield f"{name}.mix_factor", (1,)


def clip_image() -> Iterator[tuple[str, Shape]]:
    """OpenCLIP's ViT-H/14."""
    yield "class_embedding", (1280,)
    yield "positional_embedding", (16 * 16 + 1, 1280)
    yield "proj", (1280, 1024)
    yield from layer("conv1", 1280, 3, 14, 14, bias=False)
    yield from layer("ln_pre", 1280)
    yield from layer("ln_post", 1280)
    for index in range(32):
        name = f"transformer.resblocks.{index}"
        yield f"{name}.attn.in_proj_weight", (3 * 1280, 1280)
        yield f"{name}.attn.in_proj_bias", (3 * 1280,)
        yield from layer(f"{name}.attn.out_proj", 1280, 1280)
        yield from layer(f"{name}.ln_1", 1280)
        yield from layer(f"{name}.ln_2", 1280)
        yield from layer(f"{name}.mlp.c_fc", 5120, 1280)
        yield from layer(f"{name}.mlp.c_proj", 1280, 5120)


def clip_text() -> Iterator[tuple[str, Shape]]:
    """What is left of OpenCLIP's text side once its transformer is deleted."""
    yield "positional_embedding", (77, 1024)
    yield "text_projection", (1024, 1024)
    yield "logit_scale", ()
    yield "token_embedding.weight", (49408, 1024)
    yield from layer("ln_final", 1024)


def depth_keys(model: str) -> Keys:
    """Key -> shape, of a Depth Anything V2, by the names of the published files.

    transformers 5 renames the attention's projections while it reads them.
    """
    import torch
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation

    path = CONFIGS.parent / "depth_anything_v2" / f"{model}.json"
    with torch.device("meta"):
        state = DepthAnythingForDepthEstimation(DepthAnythingConfig.from_json_file(path)).state_dict()
    published = {"q_proj": "attention.query", "k_proj": "attention.key", "v_proj": "attention.value"}
    published["o_proj"] = "output.dense"
    keys: Keys = {}
    for key, tensor in state.items():
        head, _, name = key.partition(".attention.")
        projection, _, kind = name.partition(".")
        keys[f"{head}.attention.{published[projection]}.{kind}" if name else key] = tuple(tensor.shape)
    return keys


def as_text(keys: Mapping[str, Shape]) -> str:
    """One sorted line a key: its name, and its shape, e.g. 320x8x3x3; a scalar's is "-"."""
    return "".join(f"{key} {'x'.join(map(str, keys[key])) or '-'}\n" for key in sorted(keys))


def main() -> None:
    """Write all lists."""
    LISTS.mkdir(parents=True, exist_ok=True)
    lists = {"diffusers": diffusers_keys(), "single_file": single_file_keys()}
    lists |= {f"depth_anything_v2_{model}": depth_keys(model) for model in ("small", "base", "large")}
    for layout, keys in lists.items():
        (LISTS / f"{layout}.txt").write_text(as_text(keys), encoding="utf-8")
        print(f"{layout}: {len(keys)} keys")


if __name__ == "__main__":
    main()
