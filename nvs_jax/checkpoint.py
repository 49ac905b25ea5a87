"""This project's checkpoints: a folder with `weights/` (Orbax) and `nvs_jax.json` (configurations, version, origin).

A checkpoint appears under its name only when it is complete. nvs_jax.json lists the size of every file beside it, so
that a copy cut short is recognised before Orbax reads it.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp

from nvs_jax.errors import InputError
from nvs_jax.models.svd.config import parse_config, published_form, read_json
from nvs_jax.models.svd.networks import CONFIG_CLASSES, SVDNetworks, WeightSharding, held_dtype

FORMAT_VERSION = 1
_DESCRIPTION = "nvs_jax.json"
_WEIGHTS = "weights"


def is_checkpoint(path: str | Path) -> bool:
    """Whether `path` is a checkpoint of this project (not whether it is sound)."""
    return (Path(path) / _DESCRIPTION).is_file()


def check_destination(path: str | Path, *, overwrite: bool = False) -> None:
    """Refuse to write a checkpoint over something.

    Raises:
        InputError: `path` is a file or a non-empty folder; with `overwrite`, a checkpoint may be replaced, nothing
            else.
    """
    path = Path(path)
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not is_checkpoint(path):
        raise InputError(f"{path} exists and is not a checkpoint: give a new folder")
    if not overwrite:
        raise InputError(f"{path} already holds a checkpoint: give another folder, or ask to overwrite it")


def save_checkpoint(path: str | Path, networks: SVDNetworks, *, source: str = "", overwrite: bool = False) -> None:
    """Write `networks` to the folder `path`, all or nothing.

    Args:
        path: the folder to make.
        networks: what to save; arrays may be sharded.
        source: where the weights came from, for the record.
        overwrite: replace a checkpoint that is already there.

    Raises:
        InputError: see `check_destination`.
    """
    path = Path(path).resolve()
    check_destination(path, overwrite=overwrite)
    partial = path.with_name(f"{path.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed and had our number
    partial.mkdir(parents=True)
    try:
        with ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save(partial / _WEIGHTS, {name: networks.weights(name) for name in CONFIG_CLASSES})
        description = {
            "format_version": FORMAT_VERSION,
            "source": source,
            "configs": {name: published_form(networks.config(name)) for name in CONFIG_CLASSES},
            "files": {
                file.relative_to(partial).as_posix(): file.stat().st_size
                for file in sorted(partial.rglob("*"))
                if file.is_file()
            },
        }
        (partial / _DESCRIPTION).write_text(json.dumps(description, indent=1), encoding="utf-8")
        replaced = partial.with_name(f"{path.name}.replaced-{os.getpid()}")
        if path.exists():
            path.rename(replaced)
        partial.rename(path)
        shutil.rmtree(replaced, ignore_errors=True)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def restore_checkpoint(path: str | Path, dtype: Any = None, sharding: WeightSharding | None = None) -> SVDNetworks:
    """Read a checkpoint, each array straight to its dtype and its devices.

    Args:
        path: a folder written by `save_checkpoint`.
        dtype: of the UNet and the image encoder; None keeps the stored one. The VAE stays float32.
        sharding: where each parameter goes; None puts all on the default device.

    Raises:
        InputError: `path` is not a checkpoint, is incomplete, or has a format version this code does not know.
    """
    path = Path(path).resolve()
    configs = _read_description(path)
    default = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    with _reading(path / _WEIGHTS), ocp.StandardCheckpointer() as checkpointer:
        stored = checkpointer.metadata(path / _WEIGHTS).item_metadata
        if stored is None or stored.tree.keys() != CONFIG_CLASSES.keys():
            raise InputError(f"{path / _WEIGHTS} is damaged: copy or convert it again")
        target = {
            component: {
                name: jax.ShapeDtypeStruct(
                    array.shape,
                    held_dtype(component, array.dtype, dtype),
                    sharding=sharding(f"{component}/{name}") if sharding else default,
                )
                for name, array in arrays.items()
            }
            for component, arrays in stored.tree.items()
        }
        weights = checkpointer.restore(path / _WEIGHTS, target)
    return SVDNetworks(**weights, **configs)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Around Orbax: what it raises of damaged files, which is almost anything, becomes an InputError."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if "RESOURCE_EXHAUSTED" in str(error):
            raise
        # Orbax reads all arrays at once and drops the errors of all but one, which asyncio would print, one by one.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        raise InputError(f"{path} is damaged ({type(error).__name__}): copy or convert it again") from None


def _read_description(path: Path) -> dict[str, Any]:
    """The `*_config` fields of `SVDNetworks`, after checking that the checkpoint is whole and of our version."""
    if not is_checkpoint(path):
        raise InputError(f"{path} is not a checkpoint of this project: it has no {_DESCRIPTION}")
    where = path / _DESCRIPTION
    description = read_json(where)
    version = description.get("format_version")
    if version != FORMAT_VERSION:
        raise InputError(
            f"{path} has checkpoint format {version!r}, this code reads {FORMAT_VERSION}: convert it again"
        )
    _check_files(path, _member(description, "files", where))
    configs = _member(description, "configs", where)
    return {
        f"{component}_config": parse_config(kind, _member(configs, component, where), f"{where} ({component})")
        for component, kind in CONFIG_CLASSES.items()
    }


def _member(description: dict[str, Any], name: str, where: Path) -> dict[str, Any]:
    value = description.get(name)
    if not isinstance(value, dict):
        raise InputError(f"{where} does not describe {name}: it is damaged, copy or convert it again")
    return value


def _check_files(path: Path, sizes: dict[str, Any]) -> None:
    for name, size in sizes.items():
        if not (path / name).is_file() or (path / name).stat().st_size != size:
            raise InputError(f"{path} is incomplete: {name} is missing or cut short; copy or convert it again")
