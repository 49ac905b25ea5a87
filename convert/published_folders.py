"""Folders in diffusers' layout: what each family's look like. The only table here that names families."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from convert.tensor_files import Variant
from nvs_jax.disk.files import read_json
from nvs_jax.errors import InputError
from nvs_jax.models.opened import Opened

_SVD, _WAN = "convert.diffusers_layout", "convert.wan_layout"
LAYOUTS: Mapping[str, str] = {
    "StableVideoDiffusionPipeline": _SVD,
    "WanPipeline": _WAN,
    "WanVACEPipeline": _WAN,
    "WanImageToVideoPipeline": _WAN,
    "WanModel": _WAN,
    "VaceWanModel": _WAN,
}
"""Class of the pipeline in model_index.json, or of the authors' network in config.json -> the module that reads such
folders."""


@runtime_checkable
class Layout(Protocol):
    """A module that reads the folders of a family.

    Attributes:
        STEMS: component -> what its weight files are called.
        FURTHER_STEMS: the same of what only some of its models have.
        OTHER_FILES: what else is read, where it is there.
    """

    STEMS: Mapping[str, str]
    FURTHER_STEMS: Mapping[str, str]
    OTHER_FILES: Sequence[str]

    def open_folder(self, path: Path, variant: Variant = "full", texts: Sequence[str] = ()) -> Opened:
        """Read the configurations of a folder; no weights yet."""
        ...


def is_published_folder(path: Path) -> bool:
    """Whether `path` looks like a pipeline in diffusers' layout, or a folder of authors whose layout is known."""
    if (path / "model_index.json").is_file():
        return True
    return (path / "config.json").is_file() and _class_of(path) in LAYOUTS


def open_folder(path: Path, variant: Variant = "full", texts: Sequence[str] = ()) -> Opened:
    """Read the configurations of a folder in diffusers' layout, of whichever family; no weights yet.

    Args:
        path: where it is.
        variant: which weights to read where there are two; see `convert.tensor_files.open_tensors`.
        texts: prompts to be embedded beside the family's own.

    Raises:
        InputError: a file is missing or unreadable, it is of no family that is known, or one that is told nothing in
            words.
    """
    pipeline = _class_of(path)
    if not isinstance(pipeline, str) or pipeline not in LAYOUTS:
        raise InputError(f"{path} is a {pipeline}, none that this version knows: {', '.join(LAYOUTS)}")
    return _layout(LAYOUTS[pipeline]).open_folder(path, variant, texts)


def layout_of(files: set[str]) -> Layout:
    """Which family's folder has these files: where none has all its components, that of the first.

    >>> sorted(layout_of({"transformer/config.json", "vae/config.json", "text_encoder/config.json"}).STEMS)
    ['text_encoder', 'transformer', 'vae']
    """
    layouts = [_layout(module) for module in dict.fromkeys(LAYOUTS.values())]
    for layout in layouts:
        if files.issuperset(f"{component}/config.json" for component in layout.STEMS):
            return layout
    return layouts[0]


def _class_of(path: Path) -> object:
    """What a folder says it is."""
    by_authors = (path / "config.json").is_file() and not (path / "model_index.json").is_file()
    return read_json(path / ("config.json" if by_authors else "model_index.json")).get("_class_name")


def _layout(module: str) -> Layout:
    return cast(Layout, import_module(module))
