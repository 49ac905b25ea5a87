"""Named settings: YAML files that load into `RenderSettings`. No JAX here."""

from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any, get_origin

import cattrs
import cattrs.v
import yaml

from nvs_jax.configs import configs_folder
from nvs_jax.disk import at_hand
from nvs_jax.disk.files import read_bounded
from nvs_jax.embedded import EMBEDDED_MODEL, EMBEDDED_NAME
from nvs_jax.errors import InputError
from nvs_jax.settings import Mode, RenderSettings
from nvs_jax.settings.former import refuse_former_names

DEFAULT = "fast"
OWN = "preset.yaml"
"""A file of settings that weights may bring in their folder: what suits them, on top of the default preset."""
BEST = "best"
"""A preset that weights bring, too: what measured best with them, on top of what suits them."""
MAX_BYTES = 2**16


class _Loader(yaml.SafeLoader):
    """Refuses aliases (settings need none, and a few lines can stand for 10^20 values) and names given twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("a reference (*name) is not read here; write the value out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        mapping = super().construct_mapping(node, deep)
        if not all(isinstance(name, str) for name in mapping):
            raise yaml.YAMLError("names of settings must be text")
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.value in lines:
                raise yaml.YAMLError(f"{key.value} is given twice, in lines {lines[key.value]} and {line}")
            lines[key.value] = line
        return mapping


def preset_names() -> list[str]:
    """Names that `load_settings` knows.

    >>> preset_names()
    ['fast', 'lcm4', 'no-cfg', 'paper', 'reference']
    """
    return sorted(path.stem for path in configs_folder("presets").glob("*.yaml") if "." not in path.stem)


def load_settings(name: str, mode: Mode = "single", changes: Any = None) -> RenderSettings:
    """Settings by the name of a preset, or from a YAML file; what it leaves out keeps its default.

    Args:
        name: of a preset, or a path that ends in .yaml.
        mode: a preset may have a second file for a mode, whose settings come on top.
        changes: settings by name, as such a file holds them, that come on top of all.

    Raises:
        InputError: no such preset or file, or a key or value that is no setting.

    >>> load_settings("reference").camera.far, load_settings("reference", "video").camera.far
    (500.0, 10000.0)
    """
    folder = configs_folder("presets")
    if name in preset_names():
        path, on_top = folder / f"{name}.yaml", folder / f"{name}.{mode}.yaml"
        values = read_yaml(path)
        if on_top.exists():
            values = merged(values, read_yaml(on_top))
        return _structure(merged(values, changes or {}), "settings" if changes else str(path))
    if not name.endswith((".yaml", ".yml")):
        named = ", ".join((*preset_names(), BEST))
        raise InputError(f"no preset is called {name!r}: choose {named} or give a .yaml file")
    values = read_yaml(Path(name))
    return _structure(merged(values, changes) if changes and isinstance(values, dict) else values, name)


def own_preset(weights: str | Path | None, name: str = OWN) -> Path | None:
    """The file of settings that weights bring, if they do.

    Args:
        weights: as in `nvs_jax.load`.
        name: of the file in their folder.

    >>> own_preset("demo").name
    'preset.yaml'
    """
    if weights is None:
        return None
    embedded = str(weights) == EMBEDDED_NAME and not Path(weights).exists()
    path = _own_at_hand((EMBEDDED_MODEL if embedded else Path(weights)) / name)
    return path if path.is_file() else None


def own_presets(weights: str | Path | None) -> tuple[Path, ...]:
    """All files of settings that weights bring."""
    found = (own_preset(weights, name) for name in (OWN, f"{BEST}.yaml"))
    return tuple(path for path in found if path is not None)


@lru_cache(16)
def _own_at_hand(path: Path) -> Path:
    """Looked for once of weights in an object store, which many jobs may share."""
    return at_hand(path)


def settings_for(
    weights: str | Path | None, preset: str | None = None, mode: Mode = "single", changes: Any = None
) -> RenderSettings:
    """Settings of the preset that is named or, if none is, of the default one with what the weights bring on top.

    Args:
        weights: as in `nvs_jax.load`.
        preset: see `load_settings`; or best: on top of that, too, what measured best with the weights.
        mode: see `load_settings`.
        changes: see `load_settings`.

    Raises:
        InputError: see `load_settings`; or what the weights bring is wrong, or there is no best.
    """
    if preset not in (None, BEST):
        return load_settings(preset, mode, changes)
    if preset == BEST and own_preset(weights, f"{BEST}.yaml") is None:
        whose = "no weights are named" if weights is None else f"there is no {BEST}.yaml in {weights}"
        raise InputError(f"--preset {BEST} is what measured best with the weights, and {whose}: leave it out")
    brought: Any = {}
    for own in own_presets(weights):
        if preset == BEST or own.name == OWN:
            values = read_yaml(own)
            _structure(values, str(own))  # so that a mistake in it is called by its name
            brought = merged(brought, values)
    return load_settings(DEFAULT, mode, merged(brought, changes or {}))


def read_yaml(path: Path) -> Any:
    """What a YAML file holds; an empty one holds an empty mapping.

    Raises:
        InputError: missing, too large, or not readable.
    """
    try:
        values = yaml.load(read_bounded(path, MAX_BYTES).decode("utf-8"), _Loader)
    except InputError:
        raise
    except Exception as error:  # the parser's constructors of numbers and dates raise almost anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} is not readable YAML: {reason}") from None
    return {} if values is None else values


def merged(below: Any, above: Any) -> Any:
    """`above` on top of `below`, mapping by mapping."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {key: merged(below.get(key), value) for key, value in above.items()}


def strict_converter() -> cattrs.Converter:
    """Structures what YAML holds; unknown names and values of another type (`steps: "5"`) are errors."""
    converter = cattrs.Converter(forbid_extra_keys=True)
    number, whole = _exactly(float, int), _exactly(int)
    converter.register_structure_hook(bool, _exactly(bool))
    converter.register_structure_hook(int, whole)
    converter.register_structure_hook(float, number)
    converter.register_structure_hook(float | None, lambda value, _: None if value is None else number(value, float))
    converter.register_structure_hook(int | None, lambda value, _: None if value is None else whole(value, int))
    return converter


@cache
def _converter() -> cattrs.Converter:
    """One for all settings: it writes and compiles a function for every class that it meets."""
    return strict_converter()


def _structure(values: Any, where: str) -> RenderSettings:
    if not isinstance(values, dict):
        raise InputError(f"{where} holds a {type(values).__name__}, not settings by name")
    try:
        refuse_former_names(values)
        return _converter().structure(values, RenderSettings)
    except Exception as error:
        raise InputError(f"{where}: {reason(error)}") from None


def reason(error: BaseException) -> str:
    """Why `strict_converter` refused something: what the settings themselves said, if they did."""
    inner = [error]
    for one in inner:
        if isinstance(one, InputError):
            return str(one)
        inner += getattr(one, "exceptions", ())
    return cattrs.transform_error(error, format_exception=_without_notes)[0]


def _without_notes(error: BaseException, kind: Any) -> str:
    """What cattrs says of a value, of the type alone where the field's notes (its range) stand beside it."""
    return cattrs.v.format_exception(error, kind.__origin__ if get_origin(kind) is Annotated else kind)


def _exactly(*kinds: type) -> Any:
    """A cattrs hook that takes values of these types alone: YAML's `steps: "5"` and `steps: true` are mistakes."""

    def structure(value: Any, _: Any) -> Any:
        if type(value) not in kinds:
            raise TypeError(f"expected {kinds[0].__name__}, got {value!r}")
        return kinds[0](value)

    return structure
