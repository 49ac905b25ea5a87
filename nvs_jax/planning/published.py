"""Published models by their names: their configurations, the sizes that suit them, and their rows of the table."""

from collections.abc import Sequence
from functools import cache

from nvs_jax.configs import configs_folder
from nvs_jax.errors import InputError
from nvs_jax.loading import open_published
from nvs_jax.models.families import DEFAULT, family
from nvs_jax.models.opened import Opened
from nvs_jax.planning.programs import Model
from nvs_jax.planning.request import Request
from nvs_jax.planning.table import Entry

_SHARED = "svd_xt"
"""Whose rows are those of the first family's models: they differ in lengths alone."""
_ASPECT = 16 / 9


def names() -> list[str]:
    """Of all video models whose configurations are shipped."""
    folders = (path for path in configs_folder("models").iterdir() if path.is_dir())
    return sorted(path.name for path in folders if list(path.glob("*/config.json")))


@cache
def published_model(name: str) -> Model:
    """The model of a name.

    Raises:
        InputError: there is none of this name.
    """
    if name not in names():
        raise InputError(f"--model {name} is none of {', '.join(names())}")
    return model_of(open_published(name))


def model_of(opened: Opened) -> Model:
    """The model of what has been opened: configurations as they are published, which other processes can be told."""
    kin = family(opened.family)
    configs = {name: kin.parse(name, kin.published(config), name) for name, config in opened.configs.items()}
    return Model(opened.family, tuple(configs.items()))


def usual_size(model: Model) -> tuple[int, int]:
    """Rows and columns of the largest pictures that suit a model, as near to 16:9 as they can be.

    >>> usual_size(published_model("svd_xt"))
    (576, 1024)
    """
    told = model.told(Request())
    cell, most = told.lattice.pixels, told.defaults.picture.max_pixels
    cells = most // cell**2
    pairs = [(rows, cells // rows) for rows in range(1, cells + 1) if cells % rows == 0]
    rows, columns = min(pairs, key=lambda pair: abs(pair[1] / pair[0] - _ASPECT))
    return rows * cell, columns * cell


def usual_request(model: Model) -> Request:
    """A render of the length and of the size that suit a model."""
    height, width = usual_size(model)
    return Request(frames=model.told(Request()).lattice.frames, height=height, width=width)


def entries_of(entries: Sequence[Entry], model: Model) -> list[Entry]:
    """Those of the published model whose networks a model has; none if there is no such model."""
    wanted = name_of(model)
    return [entry for entry in entries if entry.model == wanted]


def name_of(model: Model) -> str | None:
    """The published model that has the same network to sample with, as far as the table goes."""
    if model.name == DEFAULT:
        return _SHARED
    sampling = model.family.uses["sample"]
    for name in names():
        other = published_model(name)
        if other.name == model.name and dict(other.configs or ()).get(sampling) == model.networks().configs[sampling]:
            return name
    return None
