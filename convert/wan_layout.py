"""Wan as diffusers lays it out: model_index.json, and a folder with config.json and safetensors per network.

Our parameters carry diffusers' names, but those of a stack of layers, each of which is read from a tensor a layer.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from jaxtyping import Array

from convert.key_table import Ignored, KeyTable, Rule, Taken, match
from convert.safetensors_file import TensorInfo
from convert.tensor_files import Variant, open_tensors
from convert.transfer import transfer
from convert.wan_prompts import UNWANTED, WANTED, embed_prompts, prompt_weights
from nvs_jax.disk.files import read_json
from nvs_jax.errors import InputError
from nvs_jax.models.networks import Opened, WeightSharding
from nvs_jax.models.stacked import of_single_layers
from nvs_jax.models.wan.networks import COMPONENTS, held_dtype
from nvs_jax.models.wan.prompts import PromptsConfig
from nvs_jax.models.weights import ParameterSpec, parameter_specs
from nvs_jax.sharding import put

PIPELINES = ("WanPipeline", "WanVACEPipeline", "WanImageToVideoPipeline")

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
}
_STEMS = {"transformer": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model"}


def open_folder(path: Path, variant: Variant = "full", prompts: tuple[str, str] = (WANTED, UNWANTED)) -> Opened:
    """Read the configurations of a folder in diffusers' layout; no weights yet.

    What is opened has no text encoder but, in its place, the embeddings of two prompts, which are made when they are
    read. Nothing else of the text encoder is kept.

    Args:
        path: where it is.
        variant: which weights to read where there are two; see `convert.tensor_files.open_tensors`.
        prompts: what is wanted of videos, and what is not.

    Raises:
        InputError: a file is missing or unreadable, or it is another pipeline than Wan's.
    """
    pipeline = read_json(path / "model_index.json").get("_class_name")
    if pipeline not in PIPELINES:
        raise InputError(f"{path} is a {pipeline}, none of Wan's: {', '.join(PIPELINES)}")
    configs = read_configs(path)
    encoder = configs.pop("text_encoder")
    configs["prompts"] = PromptsConfig(width=encoder.d_model)

    def read(component: str, dtype: Any, sharding: WeightSharding | None) -> Iterator[tuple[str, Array]]:
        if component != "prompts":
            return _arrays(path, component, configs[component], variant, (dtype, sharding))
        weights = dict(_arrays(path, "text_encoder", encoder, variant, (dtype, None)))
        embeddings = embed_prompts(path / "tokenizer", configs["prompts"], (encoder, weights), prompts)
        return _placed(prompt_weights(embeddings), sharding)

    return Opened("wan", configs, read)


def _placed(weights: Iterator[tuple[str, Array]], sharding: WeightSharding | None) -> Iterator[tuple[str, Array]]:
    for name, value in weights:
        yield name, value if sharding is None else put(value, sharding(f"prompts/{name}"))


def _arrays(
    path: Path, component: str, config: Any, variant: Variant, held: tuple[Any, WeightSharding | None]
) -> Iterator[tuple[str, Array]]:
    """The weights of one published network, in a dtype and at a place."""
    dtype, sharding = held
    tensors = open_tensors(path / component, _STEMS[component], variant)
    specs = parameter_specs(COMPONENTS[component].build(config))
    taken = pair(component, tensors.tensors, specs, tensors.name)
    return transfer(tensors, taken, specs, component, partial(held_dtype, component, wanted=dtype), sharding)


def read_configs(path: Path) -> dict[str, Any]:
    """Component -> what its config.json says.

    Raises:
        InputError: one is missing, or not a Wan's.
    """
    configs = {}
    for component, kind in COMPONENTS.items():
        where = path / component / "config.json"
        if not where.exists():
            raise InputError(f"{where} is missing: point at a folder in the diffusers layout of Wan")
        configs[component] = kind.parse(read_json(where), str(where))
    return configs


def pair(
    component: str, source: Mapping[str, TensorInfo], specs: Mapping[str, ParameterSpec], where: str
) -> dict[str, Taken]:
    """Every parameter, those of stacks layer by layer, and the one key that it is read from.

    Raises:
        InputError: see `convert.key_table.match`.
    """
    return match(TABLES[component], source, of_single_layers(specs), where)
