"""Write the names and shapes of every published tensor of Wan's models, in both layouts, into tests/data/keys.

    python scripts/wan_key_lists.py

The diffusers layout is asked of diffusers' and transformers' own classes at full size, without values. The authors' is
spelt out here from the structure of their modules (WanModel, VaceWanModel, WanVAE, T5Encoder), without a look at the
key table it is there to test. Layers of one shape are one line: blocks.{0..29}.ffn.0.weight.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.key_lists import LISTS, Keys, Shape, layer, under

ROOT = Path(__file__).parents[1]
TRANSFORMERS = ("wan2_1_t2v_1_3b", "wan2_1_vace_1_3b", "wan2_1_i2v_14b_480p", "wan2_1_i2v_14b_720p", "wan2_2_ti2v_5b")
VAES = ("wan2_1_t2v_1_3b", "wan2_2_ti2v_5b")
TEXT_ENCODERS = ("wan2_1_t2v_1_3b",)
LAYER = re.compile(r"^((?:encoder\.)?(?:vace_)?blocks?)\.(\d+)\.(.+)")


def diffusers_keys() -> Keys:
    """ "model/component/key" -> shape, of the classes that load the published folders."""
    import torch
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
    from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
    from diffusers.models.transformers.transformer_wan_vace import WanVACETransformer3DModel
    from transformers import UMT5Config, UMT5EncoderModel

    classes = {kind.__name__: kind for kind in (WanTransformer3DModel, WanVACETransformer3DModel, AutoencoderKLWan)}
    keys: Keys = {}
    for model, component in components():
        config = json.loads((ROOT / "configs" / "models" / model / component / "config.json").read_text())
        with torch.device("meta"):
            made: Any = (
                UMT5EncoderModel(UMT5Config(**config))
                if component == "text_encoder"
                else classes[config["_class_name"]].from_config(config)
            )
        keys |= {f"{model}/{component}/{name}": tuple(value.shape) for name, value in made.named_parameters()}
    return keys


def components() -> Iterator[tuple[str, str]]:
    """Every network, once: those of models that share it are left out."""
    yield from ((model, "transformer") for model in TRANSFORMERS)
    yield from ((model, "vae") for model in VAES)
    yield from ((model, "text_encoder") for model in TEXT_ENCODERS)


def original_keys() -> Keys:
    """The same by the authors' names."""
    small, large = {"dim": 1536, "ffn": 8960, "layers": 30}, {"dim": 5120, "ffn": 13824, "layers": 40}
    of_image = dict(transformer(**large, channels=36, image=1280))
    made = {
        "wan2_1_t2v_1_3b/transformer": dict(transformer(**small)),
        "wan2_1_vace_1_3b/transformer": dict(transformer(**small)) | dict(vace(1536, 8960, 15)),
        "wan2_1_i2v_14b_480p/transformer": of_image,
        "wan2_1_i2v_14b_720p/transformer": of_image,
        "wan2_2_ti2v_5b/transformer": dict(transformer(3072, 14336, 30, channels=48, out=48)),
        "wan2_1_t2v_1_3b/vae": dict(vae(96, 96, 16, 3, nested=False)),
        "wan2_2_ti2v_5b/vae": dict(vae(160, 256, 48, 12, nested=True)),
        "wan2_1_t2v_1_3b/text_encoder": dict(text_encoder(256384, 4096, 10240, 24, 64)),
    }
    return {f"{name}/{key}": shape for name, keys in made.items() for key, shape in keys.items()}


def transformer(
    dim: int, ffn: int, layers: int, channels: int = 16, out: int = 16, image: int | None = None
) -> Iterator[tuple[str, Shape]]:
    """WanModel."""
    yield from layer("patch_embedding", dim, channels, 1, 2, 2)
    yield from layer("text_embedding.0", dim, 4096)
    yield from layer("text_embedding.2", dim, dim)
    yield from layer("time_embedding.0", dim, 256)
    yield from layer("time_embedding.2", dim, dim)
    yield from layer("time_projection.1", 6 * dim, dim)
    for number in range(layers):
        yield from block(f"blocks.{number}", dim, ffn, image=image is not None)
    yield from layer("head.head", 4 * out, dim)
    yield "head.modulation", (1, 2, dim)
    if image is not None:
        yield from layer("img_emb.proj.0", image)
        yield from layer("img_emb.proj.1", image, image)
        yield from layer("img_emb.proj.3", dim, image)
        yield from layer("img_emb.proj.4", dim)


def block(name: str, dim: int, ffn: int, *, image: bool = False) -> Iterator[tuple[str, Shape]]:
    """WanAttentionBlock, of whose three norms the third alone has parameters."""
    yield f"{name}.modulation", (1, 6, dim)
    yield from layer(f"{name}.norm3", dim)
    for attention, more in (("self_attn", ()), ("cross_attn", ("k_img", "v_img") if image else ())):
        for projection in ("q", "k", "v", "o", *more):
            yield from layer(f"{name}.{attention}.{projection}", dim, dim)
        for norm in ("q", "k", *(each for each in more if each == "k_img")):
            yield from layer(f"{name}.{attention}.norm_{norm}", dim, bias=False)
    yield from layer(f"{name}.ffn.0", ffn, dim)
    yield from layer(f"{name}.ffn.2", dim, ffn)


def vace(dim: int, ffn: int, layers: int) -> Iterator[tuple[str, Shape]]:
    """What VaceWanModel has besides."""
    yield from layer("vace_patch_embedding", dim, 96, 1, 2, 2)
    for number in range(layers):
        yield from block(f"vace_blocks.{number}", dim, ffn)
        if number == 0:
            yield from layer(f"vace_blocks.{number}.before_proj", dim, dim)
        yield from layer(f"vace_blocks.{number}.after_proj", dim, dim)


def vae(width: int, decoder_width: int, latent: int, colours: int, *, nested: bool) -> Iterator[tuple[str, Shape]]:
    """WanVAE_: of Wan2.1, or of Wan2.2, whose levels are modules of their own."""
    widths = [width * factor for factor in (1, 1, 2, 4, 4)]
    through_time = (False, True, True)
    yield from layer("conv1", 2 * latent, 2 * latent, 1, 1, 1)
    yield from layer("conv2", latent, latent, 1, 1, 1)
    yield from layer("encoder.conv1", widths[0], colours, 3, 3, 3)
    number = 0
    for level in range(4):
        shapes = [(widths[level], widths[level + 1]), (widths[level + 1],) * 2]
        for index, (wide, out) in enumerate(shapes):
            place = f"encoder.downsamples.{level}.downsamples.{index}" if nested else f"encoder.downsamples.{number}"
            yield from residual(place, wide, out)
            number += 1
        if level < 3:
            place = f"encoder.downsamples.{level}.downsamples.2" if nested else f"encoder.downsamples.{number}"
            yield from layer(f"{place}.resample.1", widths[level + 1], widths[level + 1], 3, 3)
            if through_time[level]:
                yield from layer(f"{place}.time_conv", widths[level + 1], widths[level + 1], 3, 1, 1)
            number += 1
    yield from ends("encoder", widths[-1], 2 * latent)
    widths = [decoder_width * factor for factor in (4, 4, 4, 2, 1)]
    yield from layer("decoder.conv1", widths[0], latent, 3, 3, 3)
    yield from ends("decoder", widths[0], colours, last=widths[-1])
    number = 0
    for level in range(4):
        wide, out = widths[level] // (2 if level and not nested else 1), widths[level + 1]
        for index in range(3):
            place = f"decoder.upsamples.{level}.upsamples.{index}" if nested else f"decoder.upsamples.{number}"
            yield from residual(place, wide if index == 0 else out, out)
            number += 1
        if level < 3:
            place = f"decoder.upsamples.{level}.upsamples.3" if nested else f"decoder.upsamples.{number}"
            yield from layer(f"{place}.resample.1", out if nested else out // 2, out, 3, 3)
            if through_time[::-1][level]:
                yield from layer(f"{place}.time_conv", 2 * out, out, 3, 1, 1)
            number += 1


def residual(name: str, wide: int, out: int) -> Iterator[tuple[str, Shape]]:
    """ResidualBlock."""
    yield f"{name}.residual.0.gamma", (wide, 1, 1, 1)
    yield from layer(f"{name}.residual.2", out, wide, 3, 3, 3)
    yield f"{name}.residual.3.gamma", (out, 1, 1, 1)
    yield from layer(f"{name}.residual.6", out, out, 3, 3, 3)
    if wide != out:
        yield from layer(f"{name}.shortcut", out, wide, 1, 1, 1)


def ends(side: str, wide: int, out: int, last: int | None = None) -> Iterator[tuple[str, Shape]]:
    """The middle of an encoder or decoder, and its head."""
    yield from residual(f"{side}.middle.0", wide, wide)
    yield f"{side}.middle.1.norm.gamma", (wide, 1, 1)
    yield from layer(f"{side}.middle.1.to_qkv", 3 * wide, wide, 1, 1)
    yield from layer(f"{side}.middle.1.proj", wide, wide, 1, 1)
    yield from residual(f"{side}.middle.2", wide, wide)
    yield f"{side}.head.0.gamma", (last or wide, 1, 1, 1)
    yield from layer(f"{side}.head.2", out, last or wide, 3, 3, 3)


def text_encoder(words: int, dim: int, ffn: int, layers: int, heads: int) -> Iterator[tuple[str, Shape]]:
    """T5Encoder, each of whose layers has distances of its own."""
    yield from layer("token_embedding", words, dim, bias=False)
    for number in range(layers):
        parts: Keys = dict(layer("pos_embedding.embedding", 32, heads, bias=False))
        for name, shape in (("norm1", (dim,)), ("norm2", (dim,)), *((f"attn.{each}", (dim, dim)) for each in "qkvo")):
            parts |= dict(layer(name, *shape, bias=False))
        for name, shape in (("gate.0", (ffn, dim)), ("fc1", (ffn, dim)), ("fc2", (dim, ffn))):
            parts |= dict(layer(f"ffn.{name}", *shape, bias=False))
        yield from under(f"blocks.{number}", parts).items()
    yield from layer("norm", dim, bias=False)


def as_text(keys: Mapping[str, Shape]) -> str:
    """One sorted line a key, or layers of one shape: name and shape."""
    lines: dict[tuple[str, Shape], list[int]] = {}
    for key, shape in keys.items():
        model, component, name = key.split("/")
        found = LAYER.match(name)
        line = f"{model}/{component}/{name if found is None else f'{found[1]}.LAYERS.{found[3]}'}"
        lines.setdefault((line, shape), []).append(0 if found is None else int(found[2]))
    made = []
    for (line, shape), numbers in lines.items():
        assert sorted(numbers) == list(range(len(numbers))), f"{line} is not of consecutive layers from the first"
        layers = f"{{0..{numbers[-1]}}}" if len(numbers) > 1 else "0"
        made.append(f"{line.replace('LAYERS', layers)} {'x'.join(map(str, shape))}\n")
    return "".join(sorted(made))


def read_keys(path: Path) -> Keys:
    """What `as_text` wrote."""
    keys: Keys = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, shape = line.split()
        found = re.search(r"\{0\.\.(\d+)\}", key)
        numbers = range(1 if found is None else int(found[1]) + 1)
        names = [key if found is None else key.replace(found[0], str(number)) for number in numbers]
        keys |= dict.fromkeys(names, tuple(map(int, shape.split("x"))))
    return keys


def main() -> None:
    """Write both lists."""
    for layout, keys in {"wan": diffusers_keys(), "wan_original": original_keys()}.items():
        (LISTS / f"{layout}.txt").write_text(as_text(keys), encoding="utf-8")
        print(f"{layout}: {len(keys)} keys")


if __name__ == "__main__":
    main()
