"""This project's checkpoints: a folder with `weights/` (Orbax) and `nvs_jax.json` (all else).

`weights/` has a folder for each network, and in it one Orbax tree for every quarter of a gigabyte, of which Orbax has
copies in memory while it writes or reads. No array is much larger than that: stacks of layers are kept layer by layer.

nvs_jax.json holds the family of the model, the configurations, the format's version, the origin, and the size of every
file beside it, so that a copy cut short is recognised before Orbax reads it. A checkpoint appears under its name only
when it is complete.
"""

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from jaxtyping import Array

from nvs_jax.disk import CHECKPOINT, check_free, published_folder, recover, resolved
from nvs_jax.disk.errors import orbax_writes
from nvs_jax.disk.files import read_bounded, read_json
from nvs_jax.errors import InputError
from nvs_jax.models.families import DEFAULT, Family, family
from nvs_jax.models.networks import WeightSharding
from nvs_jax.models.opened import Opened
from nvs_jax.models.stacked import is_of_stack, of_single_layers
from nvs_jax.models.stacking import cut
from nvs_jax.models.weights import parameter_specs, require_finite
from nvs_jax.settings.presets import MAX_BYTES

FORMAT_VERSION, WITHOUT_STACKS = 4, 3
"""Models without stacks are in both alike, and are written as the older one, which versions before read, too."""
_READ = (2, 3, 4)
"""In 3, stacks are arrays; 2 is 3 without the family."""
_DESCRIPTION = CHECKPOINT.record
_WEIGHTS = "weights"
_PART_BYTES = 2**28


def is_checkpoint(path: str | Path) -> bool:
    """Whether `path` is a checkpoint of this project (not whether it is sound)."""
    return (Path(path) / _DESCRIPTION).is_file()


def check_destination(path: str | Path, *, overwrite: bool = False, inputs: Iterable[Path] = ()) -> None:
    """Refuse to write a checkpoint over something, after taking back what a killed conversion left half done.

    Args:
        path: of the checkpoint to make.
        overwrite: a checkpoint may be replaced, nothing else.
        inputs: what it is made of; it may not be or hold one of them.

    Raises:
        InputError: `path` is taken.
    """
    place = resolved(Path(path), CHECKPOINT, inputs)
    recover(place, CHECKPOINT)
    check_free(place, CHECKPOINT, overwrite=overwrite)


def write_checkpoint(
    path: str | Path,
    model: Family,
    configs: Mapping[str, Any],
    weights: Callable[[str], Iterable[tuple[str, Array]]],
    *,
    source: str = "",
    overwrite: bool = False,
    record: Callable[[], Mapping[str, Any]] = dict,
    presets: Sequence[Path] = (),
) -> dict[str, Any]:
    """Write a checkpoint to the folder `path`, one network after the other, all or nothing.

    Args:
        path: the folder to make.
        model: the family of the model.
        configs: component -> its configuration.
        weights: gives the weights of a component, by name, when they are to be written; arrays may be sharded, and
            stacks come layer by layer or whole. They are written and dropped as they come.
        source: where the weights came from, for the record.
        overwrite: replace a checkpoint that is already there.
        record: gives more entries for the record, when all else is written.
        presets: files of settings that suit the weights, which go with them.

    Returns:
        What nvs_jax.json says.

    Raises:
        InputError: see `check_destination`.
    """
    with published_folder(Path(path), CHECKPOINT, overwrite=overwrite) as partial:
        size, stacked = 0, False
        for component, config in configs.items():
            specs = parameter_specs(model.build(config))
            stacked = stacked or any(map(is_of_stack, specs))
            size += save_arrays(partial / _WEIGHTS / component, cut(weights(component), specs))
        for preset in presets:
            (partial / preset.name).write_bytes(read_bounded(preset, MAX_BYTES))
        description = {
            "format_version": FORMAT_VERSION if stacked else WITHOUT_STACKS,
            "family": model.name,
            "source": source,
            "configs": {component: model.published(config) for component, config in configs.items()},
            "bytes": size,
            **record(),
        }
        (partial / _DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")
    return read_json(Path(path) / _DESCRIPTION)


def save_arrays(folder: Path, arrays: Iterable[tuple[str, Array]]) -> int:
    """Write one network's arrays; gives the bytes they take in memory.

    Raises:
        OSError: the disk is full or cannot be written.
    """
    size, number, part = 0, 0, {}
    folder.mkdir(parents=True, exist_ok=True)
    with ocp.StandardCheckpointer() as checkpointer:

        def part_bytes() -> int:
            return sum(held.nbytes for held in part.values())

        def write() -> None:
            with orbax_writes(folder, part_bytes()):
                checkpointer.save(folder / f"{number:03}", part)
                checkpointer.wait_until_finished()

        for name, array in arrays:
            part[name] = array
            size += array.nbytes
            del array  # or it would be held until the next has been read
            if part_bytes() >= _PART_BYTES:
                write()
                number, part = number + 1, {}
        if part:
            write()
    return size


def open_checkpoint(path: str | Path) -> Opened:
    """Read a checkpoint's description; its files are there, and of the right size. No weights yet.

    Raises:
        InputError: `path` is not a checkpoint, is incomplete, or has a format or a family this version does not know.
    """
    path = Path(path).resolve()
    model, configs = _read_description(path)

    def read(component: str, dtype: Any, sharding: WeightSharding | None) -> Iterator[tuple[str, Array]]:
        return _arrays(path, model, component, configs[component], dtype, sharding)

    return Opened(model.name, configs, read)


def _arrays(
    path: Path, model: Family, component: str, config: Any, dtype: Any, sharding: WeightSharding | None
) -> Iterator[tuple[str, Array]]:
    """Weights of one network, by name, each array straight to its dtype and its devices.

    Raises:
        InputError: the weights are damaged, or are another network's than the description says.
    """
    folder = path / _WEIGHTS / component
    default = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    with _reading(path / _WEIGHTS, component), ocp.StandardCheckpointer() as checkpointer:
        parts = {part: checkpointer.metadata(part).item_metadata.tree for part in sorted(folder.iterdir())}
        stored = {name: tuple(array.shape) for tree in parts.values() for name, array in tree.items()}
        _check_shapes(path, model, component, config, stored)
        for part, tree in parts.items():
            target = {
                name: jax.ShapeDtypeStruct(
                    array.shape,
                    model.held_dtype(component, array.dtype, dtype),
                    sharding=sharding(f"{component}/{name}", tuple(array.shape)) if sharding else default,
                )
                for name, array in tree.items()
            }
            for name, array in checkpointer.restore(part, target).items():
                require_finite(f"{component}/{name}", array, path)
                yield name, array


def _check_shapes(
    path: Path, model: Family, component: str, config: Any, stored: Mapping[str, tuple[int, ...]]
) -> None:
    """Compare what is stored with what the configuration asks for; until format 3, stacks were arrays."""
    specs = parameter_specs(model.build(config))
    layers = specs if any(map(is_of_stack, stored)) else of_single_layers(specs)
    wanted = {name: spec.shape for name, spec in layers.items()}
    differing = [name for name in {**wanted, **stored} if wanted.get(name) != stored.get(name)]
    if differing:
        name = differing[0]
        raise InputError(
            f"{path / _DESCRIPTION} describes another {component} than {_WEIGHTS}/{component} holds: "
            f"{len(differing)} arrays differ, {name} is {_shape(stored.get(name))} there and "
            f"{_shape(wanted.get(name))} by its configuration; undo what was changed, or convert it again"
        )


@contextmanager
def _reading(path: Path, component: str) -> Iterator[None]:
    """Around Orbax: what it raises of damaged files, which is almost anything, becomes an InputError."""
    hook, damaged = sys.unraisablehook, False
    sys.unraisablehook = partial(_but_late_answers, hook)
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if "RESOURCE_EXHAUSTED" in str(error):
            raise
        # Orbax reads all arrays at once and drops the errors of all but one, which asyncio would print, one by one.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        damaged = True
        raise InputError(f"{path} is damaged ({component}: {type(error).__name__}): copy or convert it again") from None
    finally:
        if not damaged:
            sys.unraisablehook = hook


def _but_late_answers(hook: Callable[[Any], Any], unraisable: Any) -> None:
    """TensorStore's threads print that nobody waits for them any longer, when a read beside theirs has failed."""
    late = isinstance(unraisable.exc_value, RuntimeError) and str(unraisable.exc_value) == "Event loop is closed"
    if not late:
        hook(unraisable)


def _read_description(path: Path) -> tuple[Family, dict[str, Any]]:
    """The family and the configurations, after checking that the checkpoint is whole and of a format we read."""
    if not is_checkpoint(path):
        raise InputError(f"{path} is not a checkpoint of this project: it has no {_DESCRIPTION}")
    where = path / _DESCRIPTION
    description = read_json(where)
    version = description.get("format_version")
    if version not in _READ:
        raise InputError(
            f"{path} has checkpoint format {version!r}, this code reads {FORMAT_VERSION}: convert it again"
        )
    name = description.get("family", DEFAULT)
    if not isinstance(name, str):
        raise InputError(f"{where} does not name a family of models: it is damaged, copy or convert it again")
    model = family(name)
    _check_files(path, _member(description, "files", where))
    configs = _member(description, "configs", where)
    components = (*model.configs, *(component for component in model.further if component in configs))
    return model, {
        component: model.parse(component, _member(configs, component, where), f"{where} ({component})")
        for component in components
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


def _shape(shape: tuple[int, ...] | None) -> str:
    return "missing" if shape is None else "x".join(map(str, shape)) or "a scalar"
