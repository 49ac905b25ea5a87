"""SVD's original single-file checkpoints: svd.safetensors, svd_xt.safetensors and svd_xt_1_1.safetensors.

All three networks are in one file, and their configurations are not: they are shipped in `configs/models`. The three
models have the same tensors and differ in how many frames they were trained on, which is told by the file's name.
"""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

from jaxtyping import Array

from convert.diffusers_layout import read_configs
from convert.key_table import match
from convert.safetensors_file import SafetensorsFile
from convert.single_file_table import UNET, single_file_table
from convert.tensor_files import PICKLE_SUFFIXES, TensorFiles
from convert.transfer import transfer
from convert.wan_original_table import original_component
from nvs_jax.configs import configs_folder
from nvs_jax.errors import InputError
from nvs_jax.models.networks import WeightSharding
from nvs_jax.models.opened import Opened
from nvs_jax.models.svd.build import build
from nvs_jax.models.svd.networks import held_dtype
from nvs_jax.models.weights import parameter_specs

Model = Literal["svd", "svd_xt", "svd_xt_1_1"]


def open_single_file(path: Path, model: Model | None = None) -> Opened:
    """Find every parameter's tensor in a single-file checkpoint; nothing but its header is read.

    Args:
        path: the file.
        model: which of the published models it is; None tells by the file's name.

    Raises:
        InputError: it is a pickle, damaged, another checkpoint, or its name does not tell the model.
    """
    if path.suffix in PICKLE_SUFFIXES:
        raise InputError(
            f"{path} is a pickle; pickles are never read: get the .safetensors file of the same name, or the model's "
            "folder in the diffusers layout"
        )
    tensors = TensorFiles(str(path), [SafetensorsFile(path)])
    component = original_component(tensors.tensors)
    if component is not None:
        raise InputError(
            f"{path} is a {component} of Wan's alone: put it into {component}/ of the model's folder in the diffusers "
            "layout, in place of the file there and under its name, and give the folder"
        )
    if not any(key.startswith(f"{UNET}.") for key in tensors.tensors):
        raise InputError(
            f"{path} is not a single-file SVD (no {UNET}.*): of a diffusers folder give the whole folder, "
            "with model_index.json"
        )
    return understand(tensors, read_configs(model_folder(model or model_of(path))))


def understand(tensors: TensorFiles, configs: Mapping[str, Any]) -> Opened:
    """Match the tensors of a single-file checkpoint with networks of these configurations.

    Raises:
        InputError: see `convert.key_table.match`.
    """
    specs = {component: parameter_specs(build(config)) for component, config in configs.items()}
    wanted = {f"{component}/{name}": spec for component in specs for name, spec in specs[component].items()}
    table = single_file_table(configs["unet"], configs["vae"])
    matched = match(table, tensors.tensors, wanted, tensors.name)
    taken = {component: {name: matched[f"{component}/{name}"] for name in specs[component]} for component in specs}

    def read(component: str, dtype: Any, sharding: WeightSharding | None) -> Iterator[tuple[str, Array]]:
        held = partial(held_dtype, component, wanted=dtype)
        return transfer(tensors, taken[component], specs[component], component, held, sharding)

    return Opened("svd", configs, read)


def model_of(path: Path) -> Model:
    """Which model a file is, by its name: with "xt" and "1_1" (or 1.1, 1-1), with "xt", or with "svd" alone.

    Raises:
        InputError: its name says none of it.

    >>> model_of(Path("svd.safetensors")), model_of(Path("SVD-XT-1.1_fp16.safetensors"))
    ('svd', 'svd_xt_1_1')
    """
    name = path.stem.lower()
    if "xt" in name:
        return "svd_xt_1_1" if re.search(r"(?<!\d)1[._-]1(?!\d)", name) else "svd_xt"
    if "svd" in name:
        return "svd"
    raise InputError(
        f"{path}: its name does not tell whether it is svd (14 frames), svd_xt or svd_xt_1_1 (25 frames): convert it "
        "with --model, or name it as it was published"
    )


def model_folder(model: str) -> Path:
    """`configs/models/MODEL`: inside the package when installed, at the root of a checkout."""
    return configs_folder("models") / model
