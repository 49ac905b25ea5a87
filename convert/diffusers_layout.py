"""SVD as diffusers lays it out: model_index.json, and a folder with config.json and safetensors per network.

Our parameters carry diffusers' names, so its key tables are the identity with a few exceptions.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.key_table import Ignored, KeyTable, Rule
from convert.tensor_files import open_tensors
from convert.transfer import build, transfer
from nvs_jax.errors import InputError
from nvs_jax.models.svd.config import (
    ImageEncoderConfig,
    UNetConfig,
    VAEConfig,
    read_config,
    read_json,
)
from nvs_jax.models.svd.networks import SVDNetworks, WeightSharding
from nvs_jax.models.weights import Weights

_PIPELINE = "StableVideoDiffusionPipeline"
_VAE_ATTENTION = r"((?:en|de)coder\.mid_block\.attentions\.0)\."

UNET_TABLE: KeyTable = (Rule(r".+"),)
VAE_TABLE: KeyTable = (
    # Names of the attention's projections in files written before diffusers 0.14.
    Rule(_VAE_ATTENTION + r"query\.(weight|bias)", r"\1.to_q.\2"),
    Rule(_VAE_ATTENTION + r"key\.(weight|bias)", r"\1.to_k.\2"),
    Rule(_VAE_ATTENTION + r"value\.(weight|bias)", r"\1.to_v.\2"),
    Rule(_VAE_ATTENTION + r"proj_attn\.(weight|bias)", r"\1.to_out.0.\2"),
    Rule(rf"(?!{_VAE_ATTENTION}(?:query|key|value|proj_attn)\.).+"),
)
_POSITION_IDS = r"vision_model\.embeddings\.position_ids"
IMAGE_ENCODER_TABLE: KeyTable = (
    Ignored(_POSITION_IDS, "it only counts the positions: 0, 1, 2, ..."),
    Rule(rf"(?!{_POSITION_IDS}$).+"),
)

# Component -> the stem of its weight files, and its table.
_WEIGHTS = {
    "unet": ("diffusion_pytorch_model", UNET_TABLE),
    "vae": ("diffusion_pytorch_model", VAE_TABLE),
    "image_encoder": ("model", IMAGE_ENCODER_TABLE),
}


@dataclass(frozen=True)
class DiffusersFolder:
    """A folder in diffusers' layout whose configurations have been read and found to be an SVD's."""

    path: Path
    unet_config: UNetConfig
    vae_config: VAEConfig
    image_encoder_config: ImageEncoderConfig

    def load_component(self, component: str, dtype: Any = None, sharding: WeightSharding | None = None) -> Weights:
        """Weights of "unet", "vae" or "image_encoder"; arguments and errors as `convert.transfer.transfer`."""
        stem, table = _WEIGHTS[component]
        tensors = open_tensors(self.path / component, stem)
        module = build(getattr(self, f"{component}_config"))
        return transfer(tensors, table, module, component, dtype, sharding)

    def load(self, dtype: Any = None, sharding: WeightSharding | None = None) -> SVDNetworks:
        """All three networks; arguments and errors as `convert.transfer.transfer`."""
        return SVDNetworks(
            unet_config=self.unet_config,
            unet=self.load_component("unet", dtype, sharding),
            vae_config=self.vae_config,
            vae=self.load_component("vae", dtype, sharding),
            image_encoder_config=self.image_encoder_config,
            image_encoder=self.load_component("image_encoder", dtype, sharding),
        )


def is_diffusers_folder(path: Path) -> bool:
    """Whether `path` looks like a pipeline in diffusers' layout."""
    return (path / "model_index.json").is_file()


def open_folder(path: Path) -> DiffusersFolder:
    """Read the configurations of a folder in diffusers' layout; no weights yet.

    Raises:
        InputError: a file is missing or unreadable, or it is another pipeline than SVD's.
    """
    pipeline = read_json(path / "model_index.json").get("_class_name")
    if pipeline != _PIPELINE:
        raise InputError(f"{path} is a {pipeline}, not a {_PIPELINE}: get Stable Video Diffusion (SVD or SVD-XT)")
    _check_scheduler(path / "scheduler" / "scheduler_config.json")
    return DiffusersFolder(
        path=path,
        unet_config=read_config(UNetConfig, path / "unet" / "config.json"),
        vae_config=read_config(VAEConfig, path / "vae" / "config.json"),
        image_encoder_config=read_config(ImageEncoderConfig, path / "image_encoder" / "config.json"),
    )


def _check_scheduler(path: Path) -> None:
    """This project has its own noise schedule; only what the UNet was trained to predict matters here."""
    if not path.is_file():
        return
    prediction = read_json(path).get("prediction_type", "v_prediction")
    if prediction != "v_prediction":
        raise InputError(f"{path}: the UNet predicts {prediction!r}; only SVD's v_prediction is understood")
