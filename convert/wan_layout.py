"""Wan as diffusers lays it out: model_index.json, and a folder with config.json and safetensors per network; or as its
authors do, with the transformer beside those folders (`convert.wan_original`).

Our parameters carry diffusers' names, but those of a stack of layers, each of which is read from a tensor a layer. Any
file may have the authors' names in their place.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float

from convert.key_table import Ignored, KeyTable, Rule, Taken, match
from convert.safetensors_file import TensorInfo
from convert.tensor_files import TensorFiles, Variant, open_tensors
from convert.transfer import host, transfer
from convert.wan_original import as_diffusers, is_original_folder
from convert.wan_original_table import has_original_names, original_table
from convert.wan_prompts import tokenized
from convert.wan_text_encoder import encode
from nvs_jax.disk.files import read_json
from nvs_jax.errors import InputError
from nvs_jax.models.networks import WeightSharding
from nvs_jax.models.opened import Opened
from nvs_jax.models.stacked import of_single_layers
from nvs_jax.models.umt5.config import TextEncoderConfig
from nvs_jax.models.wan.networks import COMPONENTS, held_dtype
from nvs_jax.models.wan.prompts import UNWANTED, WANTED, PromptsConfig, tidy
from nvs_jax.models.weights import ParameterSpec, parameter_specs
from nvs_jax.sharding import put

_PROJECTION = r"vace_proj_in\.(weight|bias)"
TABLES: Mapping[str, KeyTable] = {
    "transformer": (
        Ignored(r"blocks\.\d+\.attn2\.norm_added_q\.weight", "no query is made of the picture"),
        Rule(_PROJECTION, r"vace_blocks.0.proj_in.\1"),
        Rule(rf"(?!{_PROJECTION}).+"),
    ),
    "vae": (Rule(r".+"),),
    "text_encoder": (
        # One table under two names, of which a file has one.
        Rule(r"shared\.weight", older=("encoder.embed_tokens.weight",)),
        Rule(r"(?!shared\.).+"),
    ),
    "image_encoder": (
        Ignored(r"vision_model\.embeddings\.position_ids", "it only counts the positions: 0, 1, 2, ..."),
        Ignored(r"visual_projection\.weight", "the transformer is told of tokens before they are projected"),
        Rule(r".+"),
    ),
}
STEMS = {"transformer": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model"}
"""Component -> what its weight files are called."""
FURTHER_STEMS = {"image_encoder": "model"}
"""The same of what only some models have."""
OTHER_FILES = (
    "scheduler/scheduler_config.json",
    *(f"tokenizer/{name}" for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")),
    "tokenizer/spiece.model",
)


def open_folder(path: Path, variant: Variant = "full", texts: Sequence[str] = ()) -> Opened:
    """Read the configurations of a folder in diffusers' layout, or the authors'; no weights yet.

    What is opened has no text encoder but, in its place, the embeddings of a few prompts, which are made when they are
    read; the text encoder is read again for others.

    Args:
        path: where it is.
        variant: which weights to read where there are two; see `convert.tensor_files.open_tensors`.
        texts: prompts beside the two that suit views of a scene.

    Raises:
        InputError: a file is missing or unreadable, or the model is none that this version knows.
    """
    index = path / "model_index.json"
    if index.is_file() and read_json(index).get("boundary_ratio") is not None:
        raise InputError(f"{path} has two transformers, of which one takes over: this version knows models of one")
    configs = read_configs(path)
    encoder = configs.pop("text_encoder")
    kept = tuple(dict.fromkeys([WANTED, UNWANTED, *map(tidy, texts)]))
    embed = cache(partial(_embeddings, path, encoder, variant, PromptsConfig.tokens))
    prompts = PromptsConfig(width=encoder.d_model, texts=kept, embed=lambda text: embed((text,))[0])
    # First: a layer of the text encoder takes the most memory, and allocators keep what writing has taken.
    configs = {"prompts": prompts} | configs

    def read(component: str, dtype: Any, sharding: WeightSharding | None) -> Iterator[tuple[str, Array]]:
        if component != "prompts":
            return _arrays(path, component, configs[component], variant, (dtype, sharding))
        made = embed(kept)
        return iter([("embeddings", _placed(made.astype(held_dtype("prompts", made.dtype, dtype)), sharding))])

    return Opened("wan", configs, read)


def _embeddings(
    path: Path, encoder: TextEncoderConfig, variant: Variant, length: int, texts: Sequence[str]
) -> Float[Array, "n s d"]:
    """Of texts, on the host, whose memory the text encoder takes meanwhile."""
    tensors, _, taken = _paired(path, "text_encoder", encoder, variant)
    with jax.default_device(host()):
        return encode(tensors, taken, encoder, *tokenized(path / "tokenizer", length, texts))


def _placed(embeddings: Array, sharding: WeightSharding | None) -> Array:
    if sharding is None:
        return jax.device_put(np.asarray(embeddings))
    return put(np.asarray(embeddings), sharding("prompts/embeddings", embeddings.shape))


def _arrays(
    path: Path, component: str, config: Any, variant: Variant, held: tuple[Any, WeightSharding | None]
) -> Iterator[tuple[str, Array]]:
    """The weights of one published network, in a dtype and at a place."""
    dtype, sharding = held
    tensors, specs, taken = _paired(path, component, config, variant)
    return transfer(tensors, taken, specs, component, partial(held_dtype, component, wanted=dtype), sharding)


def _paired(
    path: Path, component: str, config: Any, variant: Variant
) -> tuple[TensorFiles, dict[str, ParameterSpec], dict[str, Taken]]:
    """A published network: its tensors, its parameters layer by layer, and which is read from which."""
    tensors = open_tensors(_home(path, component), (STEMS | FURTHER_STEMS)[component], variant)
    specs = of_single_layers(parameter_specs(COMPONENTS[component].build(config)))
    table = original_table(component, config) if has_original_names(component, tensors.tensors) else TABLES[component]
    return tensors, specs, pair(table, tensors.tensors, specs, tensors.name)


def _home(path: Path, component: str) -> Path:
    return path if component == "transformer" and is_original_folder(path) else path / component


def read_configs(path: Path) -> dict[str, Any]:
    """Component -> what its config.json says.

    Raises:
        InputError: one is missing, or not a Wan's.
    """
    configs, original = {}, is_original_folder(path)
    for component, kind in COMPONENTS.items():
        where = _home(path, component) / "config.json"
        if component in FURTHER_STEMS and configs["transformer"].image_dim is None:
            continue
        if not where.exists():
            pickles = "its authors publish it as a pickle, which is never read: "
            raise InputError(
                f"{where} is missing: {pickles if original else ''}get {component}/ of the model's folder in the "
                "diffusers layout"
            )
        published = read_json(where)
        if where.parent == path:
            published = as_diffusers(published, str(where))
        configs[component] = kind.parse(published, str(where))
    return configs


def pair(
    table: KeyTable, source: Mapping[str, TensorInfo], specs: Mapping[str, ParameterSpec], where: str
) -> dict[str, Taken]:
    """Every parameter, those of stacks layer by layer, and the one key that it is read from.

    Raises:
        InputError: see `convert.key_table.match`.
    """
    return match(table, source, of_single_layers(specs), where)
