"""A folder as Wan's authors publish it: their config.json and the transformer's safetensors, in no folder of their own.

What else they publish are pickles, which are never read: the VAE and the text encoder are taken from folders of the
diffusers layout beside it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nvs_jax.disk.files import read_json
from nvs_jax.errors import InputError

_KINDS = {"WanModel": "WanTransformer3DModel", "VaceWanModel": "WanVACETransformer3DModel"}
_FIELDS = {
    "num_attention_heads": "num_heads",
    "ffn_dim": "ffn_dim",
    "num_layers": "num_layers",
    "in_channels": "in_dim",
    "out_channels": "out_dim",
    "freq_dim": "freq_dim",
    "text_dim": "text_dim",
    "eps": "eps",
    "patch_size": "patch_size",
    "cross_attn_norm": "cross_attn_norm",
    "vace_layers": "vace_layers",
    "vace_in_channels": "vace_in_dim",
}
"""diffusers' name of a value, and the authors'."""
_CLIP_WIDTH = 1280
"""Of the tokens of the image encoder, whichever the model."""


def is_original_folder(path: Path) -> bool:
    """Whether `path` looks like a folder of Wan's authors."""
    config = path / "config.json"
    return config.is_file() and read_json(config).get("_class_name") in _KINDS


def as_diffusers(config: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The authors' configuration of a transformer as diffusers says it.

    Args:
        config: the content of their config.json.
        where: what errors call it.

    Raises:
        InputError: it lacks a width, or is of a model of a first and a last picture.

    >>> made = as_diffusers({"_class_name": "WanModel", "dim": 1536, "num_heads": 12, "in_dim": 16}, "config.json")
    >>> made["num_attention_heads"], made["attention_head_dim"], made["in_channels"]
    (12, 128, 16)
    """
    width, heads = config.get("dim"), config.get("num_heads")
    if not isinstance(width, int) or not isinstance(heads, int) or heads < 1 or width % heads:
        raise InputError(f"{where}: dim and num_heads must be whole numbers, of which the first is a multiple")
    kind = config.get("model_type", "t2v")
    if kind == "flf2v":
        raise InputError(f"{where}: models of a first and a last picture are none that this version knows")
    made = {ours: config[theirs] for ours, theirs in _FIELDS.items() if theirs in config}
    made |= {"_class_name": _KINDS.get(str(config.get("_class_name"))), "attention_head_dim": width // heads}
    if kind == "i2v":
        made |= {"image_dim": _CLIP_WIDTH, "added_kv_proj_dim": width}
    return made
