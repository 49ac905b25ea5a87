"""Wan by its authors' names: which of their tensors each of our parameters is read from.

Files for other programs, such as ComfyUI's, have the same names, of the transformer sometimes below
`model.diffusion_model`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from convert.key_table import KeyTable, Rule
from nvs_jax.models.umt5.config import TextEncoderConfig
from nvs_jax.models.wan.config import VAEConfig

_PREFIX = "model.diffusion_model."
_END = r"(weight|bias)"
_BLOCK = r"((?:vace_)?blocks\.\d+)"

_TRANSFORMER = (
    (rf"((?:vace_)?patch_embedding)\.{_END}", r"\1.\2"),
    (rf"condition_embedder\.time_embedder\.linear_1\.{_END}", r"time_embedding.0.\1"),
    (rf"condition_embedder\.time_embedder\.linear_2\.{_END}", r"time_embedding.2.\1"),
    (rf"condition_embedder\.time_proj\.{_END}", r"time_projection.1.\1"),
    (rf"condition_embedder\.text_embedder\.linear_1\.{_END}", r"text_embedding.0.\1"),
    (rf"condition_embedder\.text_embedder\.linear_2\.{_END}", r"text_embedding.2.\1"),
    (rf"condition_embedder\.image_embedder\.norm1\.{_END}", r"img_emb.proj.0.\1"),
    (rf"condition_embedder\.image_embedder\.ff\.net\.0\.proj\.{_END}", r"img_emb.proj.1.\1"),
    (rf"condition_embedder\.image_embedder\.ff\.net\.2\.{_END}", r"img_emb.proj.3.\1"),
    (rf"condition_embedder\.image_embedder\.norm2\.{_END}", r"img_emb.proj.4.\1"),
    (rf"{_BLOCK}\.attn1\.to_([qkv])\.{_END}", r"\1.self_attn.\2.\3"),
    (rf"{_BLOCK}\.attn1\.to_out\.0\.{_END}", r"\1.self_attn.o.\2"),
    (rf"{_BLOCK}\.attn1\.norm_([qk])\.weight", r"\1.self_attn.norm_\2.weight"),
    (rf"{_BLOCK}\.attn2\.to_([qkv])\.{_END}", r"\1.cross_attn.\2.\3"),
    (rf"{_BLOCK}\.attn2\.to_out\.0\.{_END}", r"\1.cross_attn.o.\2"),
    (rf"{_BLOCK}\.attn2\.norm_([qk])\.weight", r"\1.cross_attn.norm_\2.weight"),
    (rf"{_BLOCK}\.attn2\.add_([kv])_proj\.{_END}", r"\1.cross_attn.\2_img.\3"),
    (rf"{_BLOCK}\.attn2\.norm_added_k\.weight", r"\1.cross_attn.norm_k_img.weight"),
    # Their second norm is the one before the feed-forward, which has no parameters.
    (rf"{_BLOCK}\.norm2\.{_END}", r"\1.norm3.\2"),
    (rf"{_BLOCK}\.ffn\.net\.0\.proj\.{_END}", r"\1.ffn.0.\2"),
    (rf"{_BLOCK}\.ffn\.net\.2\.{_END}", r"\1.ffn.2.\2"),
    (rf"{_BLOCK}\.scale_shift_table", r"\1.modulation"),
    (rf"vace_proj_in\.{_END}", r"vace_blocks.0.before_proj.\1"),
    (rf"(vace_blocks\.\d+)\.proj_out\.{_END}", r"\1.after_proj.\2"),
    (r"scale_shift_table", "head.modulation"),
    (rf"proj_out\.{_END}", r"head.head.\1"),
)
_TEXT_BLOCK = r"encoder\.block\.(\d+)\.layer"
_TEXT = (
    (r"shared\.weight", "token_embedding.weight"),
    (rf"{_TEXT_BLOCK}\.0\.layer_norm\.weight", r"blocks.\1.norm1.weight"),
    (rf"{_TEXT_BLOCK}\.0\.SelfAttention\.([qkvo])\.weight", r"blocks.\1.attn.\2.weight"),
    (
        rf"{_TEXT_BLOCK}\.0\.SelfAttention\.relative_attention_bias\.weight",
        r"blocks.\1.pos_embedding.embedding.weight",
    ),
    (rf"{_TEXT_BLOCK}\.1\.layer_norm\.weight", r"blocks.\1.norm2.weight"),
    (rf"{_TEXT_BLOCK}\.1\.DenseReluDense\.wi_0\.weight", r"blocks.\1.ffn.gate.0.weight"),
    (rf"{_TEXT_BLOCK}\.1\.DenseReluDense\.wi_1\.weight", r"blocks.\1.ffn.fc1.weight"),
    (rf"{_TEXT_BLOCK}\.1\.DenseReluDense\.wo\.weight", r"blocks.\1.ffn.fc2.weight"),
    (r"encoder\.final_layer_norm\.weight", "norm.weight"),
)
_OF_RESIDUAL = (
    (r"norm1\.gamma", "residual.0.gamma"),
    (rf"conv1\.{_END}", r"residual.2.\1"),
    (r"norm2\.gamma", "residual.3.gamma"),
    (rf"conv2\.{_END}", r"residual.6.\1"),
    (rf"conv_shortcut\.{_END}", r"shortcut.\1"),
)
_OF_RESAMPLE = ((rf"resample\.1\.{_END}", r"resample.1.\1"), (rf"time_conv\.{_END}", r"time_conv.\1"))
_OF_ATTENTION = ((r"norm\.gamma", "norm.gamma"), (rf"(to_qkv|proj)\.{_END}", r"\1.\2"))
_SIGNS = {
    "transformer": r"(.+\.)?blocks\.0\.self_attn\.q\.weight",
    "vae": r"encoder\.conv1\.weight",
    "text_encoder": r"token_embedding\.weight",
}
"""By component, a key that others do not have."""
Pairs = Iterable[tuple[str, str]]


def original_table(component: str, config: Any) -> KeyTable:
    """The table of transformer, VAE or text encoder; that of a VAE depends on how many blocks it has."""
    if isinstance(config, VAEConfig):
        return tuple(Rule(pattern, key) for pattern, key in _vae(config))
    if isinstance(config, TextEncoderConfig):
        return tuple(Rule(pattern, key) for pattern, key in _TEXT)
    assert component == "transformer", component
    return tuple(Rule(pattern, key, older=(_PREFIX + key,)) for pattern, key in _TRANSFORMER)


def has_original_names(component: str, keys: Iterable[str]) -> bool:
    """Whether tensors are named as the authors name them.

    >>> has_original_names("vae", ["encoder.conv1.weight"]), has_original_names("vae", ["encoder.conv_in.weight"])
    (True, False)
    """
    sign = _SIGNS.get(component)
    return sign is not None and any(re.fullmatch(sign, key) for key in keys)


def original_component(keys: Iterable[str]) -> str | None:
    """Which network of Wan's tensors are, if they have its authors' names.

    >>> original_component(["model.diffusion_model.blocks.0.self_attn.q.weight"])
    'transformer'
    """
    known = list(keys)
    return next((component for component in _SIGNS if has_original_names(component, known)), None)


def _vae(config: VAEConfig) -> Iterator[tuple[str, str]]:
    yield rf"quant_conv\.{_END}", r"conv1.\1"
    yield rf"post_quant_conv\.{_END}", r"conv2.\1"
    for side in ("encoder", "decoder"):
        yield rf"{side}\.conv_in\.{_END}", rf"{side}.conv1.\1"
        yield from _below(f"{side}.mid_block.resnets.0", f"{side}.middle.0", _OF_RESIDUAL)
        yield from _below(f"{side}.mid_block.attentions.0", f"{side}.middle.1", _OF_ATTENTION)
        yield from _below(f"{side}.mid_block.resnets.1", f"{side}.middle.2", _OF_RESIDUAL)
        yield rf"{side}\.norm_out\.gamma", f"{side}.head.0.gamma"
        yield rf"{side}\.conv_out\.{_END}", rf"{side}.head.2.\1"
    encoder, decoder = ("encoder.down_blocks", "encoder.downsamples"), ("decoder.up_blocks", "decoder.upsamples")
    deep = config.num_res_blocks, config.num_res_blocks + 1
    for level in range(len(config.dim_mult)):
        if config.is_residual:
            yield from _level(f"{encoder[0]}.{level}", f"{encoder[1]}.{level}.downsamples", deep[0], "downsampler")
            yield from _level(f"{decoder[0]}.{level}", f"{decoder[1]}.{level}.upsamples", deep[1], "upsampler")
        else:
            first = level * (deep[1] + 1)
            yield from _level(f"{decoder[0]}.{level}", decoder[1], deep[1], "upsamplers.0", first)
    if not config.is_residual:
        for number in range(len(config.dim_mult) * (deep[0] + 1) - 1):
            resamples = number % (deep[0] + 1) == deep[0]
            each = _OF_RESAMPLE if resamples else _OF_RESIDUAL
            yield from _below(f"{encoder[0]}.{number}", f"{encoder[1]}.{number}", each)


def _level(ours: str, theirs: str, deep: int, resampler: str, first: int = 0) -> Iterator[tuple[str, str]]:
    """Residual blocks and what halves or doubles after them, which they number in one row."""
    for number in range(deep):
        yield from _below(f"{ours}.resnets.{number}", f"{theirs}.{first + number}", _OF_RESIDUAL)
    yield from _below(f"{ours}.{resampler}", f"{theirs}.{first + deep}", _OF_RESAMPLE)


def _below(ours: str, theirs: str, pairs: Pairs) -> Iterator[tuple[str, str]]:
    for pattern, key in pairs:
        yield rf"{re.escape(ours)}\.{pattern}", f"{theirs}.{key}"
