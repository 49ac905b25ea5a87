"""Depth Anything as transformers lays it out: config.json, model.safetensors, preprocessor_config.json in one folder.

Our parameters carry the names of the published files.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convert.hub import fetch_files, is_hub_id
from convert.key_table import Ignored, KeyTable, Rule, match
from convert.tensor_files import open_tensors
from convert.transfer import transfer
from nvs_jax.disk import at_hand
from nvs_jax.errors import InputError
from nvs_jax.models.depth.config import DepthConfig, read_depth_config
from nvs_jax.models.depth.network import DepthAnything
from nvs_jax.models.depth.preprocess import Preprocessing, read_preprocessing
from nvs_jax.models.weights import Weights, parameter_specs

_LAYER = r"(backbone\.encoder\.layer\.\d+\.attention)\."

DEPTH_TABLE: KeyTable = (
    Ignored(r"backbone\.embeddings\.mask_token", "it stands for patches that are hidden while DINOv2 is trained"),
    # transformers 5 calls the attention's projections otherwise inside, though not in the files that are published.
    *(
        Rule(_LAYER + rf"attention\.{name}\.(weight|bias)", older=(rf"\1.{name[0]}_proj.\2",))
        for name in ("query", "key", "value")
    ),
    Rule(_LAYER + r"output\.dense\.(weight|bias)", older=(r"\1.o_proj.\2",)),
    Rule(rf"(?!{_LAYER}).+"),
)
STEM = "model"
_CONFIGS = ("config.json", "preprocessor_config.json")
_BY_HAND = "or hand in a depth map made elsewhere with --depth"


@dataclass(frozen=True)
class DepthFolder:
    """A folder in transformers' layout whose configurations have been read.

    Attributes:
        path: where it is.
        config: of the network.
        preprocessing: of pictures.
    """

    path: Path
    config: DepthConfig
    preprocessing: Preprocessing

    def load(self) -> Weights:
        """The weights in float32, each read when its turn comes.

        Raises:
            InputError: files are missing or damaged, or do not fit the configuration.
        """
        tensors = open_tensors(self.path, STEM)
        specs = parameter_specs(DepthAnything(self.config))
        taken = match(DEPTH_TABLE, tensors.tensors, specs, tensors.name)
        return dict(transfer(tensors, taken, specs, "depth", lambda _: np.dtype(np.float32)))


def open_depth(source: str | Path) -> DepthFolder:
    """Find a Depth Anything and read its configurations; no weights yet.

    Args:
        source: a folder in transformers' layout, or OWNER/NAME of a model on the Hugging Face Hub, which is downloaded.

    Raises:
        InputError: `source` is neither, or cannot be had; the message says what to do.
    """
    path = at_hand(source)
    if not path.exists() and is_hub_id(str(source)):
        path = _fetch(str(source))
    elif not path.is_dir():
        fault = "is no folder" if path.exists() else "does not exist"
        raise InputError(
            f"{source} {fault}: expected a Depth Anything in transformers' layout (a folder with config.json and "
            f"{STEM}.safetensors), or a hub id such as depth-anything/Depth-Anything-V2-Small-hf, {_BY_HAND}"
        )
    config = read_depth_config(path / "config.json")
    preprocessing = read_preprocessing(path / "preprocessor_config.json")
    if preprocessing.ensure_multiple_of % config.backbone.patch_size:
        raise InputError(
            f"{path / 'preprocessor_config.json'}: ensure_multiple_of must be a multiple of "
            f"{config.backbone.patch_size}, the size of a patch"
        )
    return DepthFolder(path, config, preprocessing)


def _fetch(repository: str) -> Path:
    try:
        return fetch_files(repository, lambda files: _needed(repository, files))
    except InputError as error:
        raise InputError(f"{error}, {_BY_HAND}") from None


def _needed(repository: str, files: list[str]) -> list[str]:
    """The configurations and the weights: one file, or shards with their index."""
    shards = [name for name in files if name.startswith(f"{STEM}-") and name.endswith(".safetensors")]
    weights = [f"{STEM}.safetensors"] if f"{STEM}.safetensors" in files else shards
    if "config.json" not in files or not weights:
        raise InputError(
            f"{repository} is not in transformers' layout (config.json and {STEM}.safetensors): "
            "take one whose name ends in -hf"
        )
    index = [] if weights != shards else [f"{STEM}.safetensors.index.json"]
    return [*(name for name in _CONFIGS if name in files), *index, *weights]
