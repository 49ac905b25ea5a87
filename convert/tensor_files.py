"""The weights of one network in a folder: a single safetensors file, or shards with their index; plain or fp16.

diffusers and transformers name them alike: `STEM.safetensors`, `STEM.safetensors.index.json`, and, for the half
precision variant, `STEM.fp16.safetensors`, `STEM.safetensors.index.fp16.json`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Int

from convert.safetensors_file import SafetensorsFile, TensorInfo
from nvs_jax.disk.files import read_json
from nvs_jax.errors import InputError

Variant = Literal["full", "fp16"]
"""Which weights: as published, or rounded to half precision."""

PICKLE_SUFFIXES = (".bin", ".ckpt", ".pt", ".pth")


class TensorFiles:
    """One or more safetensors files read as one.

    Attributes:
        name: how errors call it.
        tensors: what the files hold, by key.

    Raises:
        InputError: two of the files hold the same key.
    """

    def __init__(self, name: str, files: Iterable[SafetensorsFile]):
        self.name = name
        self.tensors: dict[str, TensorInfo] = {}
        self._home: dict[str, SafetensorsFile] = {}
        for file in files:
            for key, info in file.tensors.items():
                if key in self._home:
                    raise InputError(f"{key} is in two shards, {self._home[key].path} and {file.path.name}")
                self.tensors[key] = info
                self._home[key] = file

    def read(self, key: str) -> np.ndarray:
        """One tensor; see `SafetensorsFile.read`."""
        return self._home[key].read(key)

    def read_rows(self, key: str, rows: Int[np.ndarray, "*n"]) -> np.ndarray:
        """Some rows of a matrix; see `SafetensorsFile.read_rows`."""
        return self._home[key].read_rows(key, rows)


def open_tensors(folder: Path, stem: str, variant: Variant = "full") -> TensorFiles:
    """The weights called `stem` in `folder`: the `variant` where it is there, else the other.

    Raises:
        InputError: there are none, they are pickles, or their files are damaged or contradict their index.
    """
    for infix in ("", ".fp16") if variant == "full" else (".fp16", ""):
        single = folder / f"{stem}{infix}.safetensors"
        if single.is_file():
            return TensorFiles(str(single), [SafetensorsFile(single)])
        index = folder / f"{stem}.safetensors.index{infix}.json"
        if index.is_file():
            return _open_shards(index)
    pickles = sorted(path.name for path in folder.glob("*") if path.suffix in PICKLE_SUFFIXES)
    if pickles:
        raise InputError(
            f"{folder} holds only {pickles[0]}; pickles are never read: download {stem}.safetensors instead"
        )
    raise InputError(f"{folder} holds no weights: {stem}.safetensors is missing, download it again")


def _open_shards(index: Path) -> TensorFiles:
    weight_map = _weight_map(index, read_json(index))
    shards = {}
    for name in sorted(set(weight_map.values())):
        if not (index.parent / name).is_file():
            raise InputError(f"{index} names the shard {name}, which is missing: download it again")
        shards[name] = SafetensorsFile(index.parent / name)
    tensors = TensorFiles(str(index), shards.values())
    for key, name in weight_map.items():
        if key not in shards[name].tensors:
            raise InputError(f"{index} places {key} in {name}, which does not hold it: download both again")
    return tensors


def _weight_map(index: Path, content: Mapping[str, Any]) -> dict[str, str]:
    """Key -> file name, as the index says; only names of files beside the index are believed."""
    weight_map = content.get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise InputError(f"{index} has no weight_map: it is not the index of a sharded safetensors")
    for key, name in weight_map.items():
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
            raise InputError(f"{index} places {key} in {name!r}, which is not a safetensors file beside it")
    return weight_map
