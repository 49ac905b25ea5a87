"""SVD as diffusers lays it out: model_index.json, and a folder with config.json and safetensors per network.

Our parameters carry diffusers' names, so its key tables are the identity with a few exceptions.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jaxtyping import Array

from convert.key_table import Ignored, KeyTable, Rule, match
from convert.safetensors_file import SafetensorsFile
from convert.tensor_files import TensorFiles, Variant, open_tensors
from convert.transfer import transfer
from nvs_jax.disk.files import read_json
from nvs_jax.errors import InputError
from nvs_jax.models.networks import WeightSharding
from nvs_jax.models.opened import Opened
from nvs_jax.models.svd.build import build
from nvs_jax.models.svd.config import read_config
from nvs_jax.models.svd.networks import CONFIG_CLASSES, held_dtype
from nvs_jax.models.weights import parameter_specs

_VAE_ATTENTION = r"((?:en|de)coder\.mid_block\.attentions\.0)\."

UNET_TABLE: KeyTable = (Rule(r".+"),)
VAE_TABLE: KeyTable = (
    # The attention's projections had other names in files written before diffusers 0.14.
    Rule(_VAE_ATTENTION + r"to_q\.(weight|bias)", older=(r"\1.query.\2",)),
    Rule(_VAE_ATTENTION + r"to_k\.(weight|bias)", older=(r"\1.key.\2",)),
    Rule(_VAE_ATTENTION + r"to_v\.(weight|bias)", older=(r"\1.value.\2",)),
    Rule(_VAE_ATTENTION + r"to_out\.0\.(weight|bias)", older=(r"\1.proj_attn.\2",)),
    Rule(rf"(?!{_VAE_ATTENTION}to_).+"),
)
IMAGE_ENCODER_TABLE: KeyTable = (
    Ignored(r"vision_model\.embeddings\.position_ids", "it only counts the positions: 0, 1, 2, ..."),
    Rule(r".+"),
)

STEMS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "image_encoder": "model"}
"""Component -> what its weight files are called."""
FURTHER_STEMS: dict[str, str] = {}
OTHER_FILES = ("scheduler/scheduler_config.json",)
_TABLES = {"unet": UNET_TABLE, "vae": VAE_TABLE, "image_encoder": IMAGE_ENCODER_TABLE}


def open_folder(path: Path, variant: Variant = "full", texts: Sequence[str] = ()) -> Opened:
    """Read the configurations of a folder in diffusers' layout; no weights yet.

    Args:
        path: where it is.
        variant: which weights to read where there are two; see `convert.tensor_files.open_tensors`.
        texts: none: the model is told nothing in words.

    Raises:
        InputError: a file is missing or unreadable, or there are texts.
    """
    if texts:
        raise InputError(f"{path} has no text encoder: leave --prompts out")
    _check_scheduler(path / "scheduler" / "scheduler_config.json")
    configs = read_configs(path)

    def read(component: str, dtype: Any, sharding: WeightSharding | None) -> Iterator[tuple[str, Array]]:
        tensors = open_tensors(path / component, STEMS[component], variant)
        specs = parameter_specs(build(configs[component]))
        taken = match(_TABLES[component], tensors.tensors, specs, tensors.name)
        return transfer(tensors, taken, specs, component, partial(held_dtype, component, wanted=dtype), sharding)

    return Opened("svd", configs, read)


def read_configs(path: Path) -> dict[str, Any]:
    """Component -> what its config.json says.

    Raises:
        InputError: one is missing, or not an SVD's.
    """
    return {
        component: read_config(kind, path / component / "config.json") for component, kind in CONFIG_CLASSES.items()
    }


def with_unet(opened: Opened, path: Path) -> Opened:
    """The same SVD with the UNet of another file: of one that was trained on, or distilled from it.

    Args:
        opened: an SVD.
        path: a .safetensors file whose keys are diffusers' names of the UNet's parameters, all of them and no other.

    Raises:
        InputError: another family's model, or a file that is missing, damaged, or holds another network.
    """
    if opened.family != "svd":
        raise InputError(f"--unet puts another UNet into an SVD, and this is a model of the family {opened.family}")
    if not path.is_file():
        raise InputError(f"--unet {path} is not a file: give a .safetensors file of an SVD's UNet")
    tensors = TensorFiles(str(path), [SafetensorsFile(path)])
    specs = parameter_specs(build(opened.configs["unet"]))
    taken = match(UNET_TABLE, tensors.tensors, specs, tensors.name)

    def read(component: str, dtype: Any, sharding: WeightSharding | None) -> Iterator[tuple[str, Array]]:
        if component != "unet":
            return opened.read(component, dtype, sharding)
        return transfer(tensors, taken, specs, component, partial(held_dtype, component, wanted=dtype), sharding)

    return Opened("svd", opened.configs, read)


def _check_scheduler(path: Path) -> None:
    """This project has its own noise schedule; only what the UNet was trained to predict matters here."""
    if not path.is_file():
        return
    prediction = read_json(path).get("prediction_type", "v_prediction")
    if prediction != "v_prediction":
        raise InputError(f"{path}: the UNet predicts {prediction!r}; only SVD's v_prediction is understood")
