"""The families of video models that this project knows: the only table that names them, beside that of the settings
that are theirs alone (`nvs_jax/settings/render.py`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from flax import nnx

from nvs_jax.errors import InputError
from nvs_jax.models.contract import Lattice, VideoModel
from nvs_jax.models.networks import Networks, Weightless
from nvs_jax.models.weights import Weights

FAMILIES = {"svd": "nvs_jax.models.svd.family", "wan": "nvs_jax.models.wan.family"}
"""Name -> the module whose FAMILY it is."""
DEFAULT = "svd"
"""Of checkpoints that name none, and of warps made before weights are chosen."""


@dataclass(frozen=True)
class Family:
    """How the models of a family are put together and kept.

    Attributes:
        name: as checkpoints say it.
        configs: of the networks of its published model, in the order in which they are written; each is named as its
            folder.
        uses: the network that each of a render's programs uses: embed, encode, sample, decode.
        parse: a component's published JSON object to its configuration; the last argument names it in errors.
        published: the inverse of `parse`.
        build: a configuration to the network it describes, without values.
        held_dtype: component, stored and wanted dtype (None: as stored) to that on the device.
        gather: configurations and weights of all components to networks.
        model: networks to a model.
        reached: by each of a render's programs, the share of its roofline (`nvs_jax.planning.roofline`) that an H200
            was measured to reach (docs/accelerators.md); of embedding, which takes no time, an assumption.
        further: networks that only some of its models have.
    """

    name: str
    configs: Mapping[str, Any]
    uses: Mapping[str, str]
    parse: Callable[[str, Mapping[str, Any], str], Any]
    published: Callable[[Any], dict[str, Any]]
    build: Callable[[Any], nnx.Module]
    held_dtype: Callable[[str, Any, Any], np.dtype]
    gather: Callable[[Mapping[str, Any], Mapping[str, Weights]], Networks]
    model: Callable[[Networks], VideoModel]
    reached: Mapping[str, float]
    further: tuple[str, ...] = ()

    @property
    def lattice(self) -> Lattice:
        """Of the published model, for warps made before weights are chosen."""
        return self.lattice_of(self.configs)

    def lattice_of(self, configs: Mapping[str, Any]) -> Lattice:
        """Of a model whose networks have these configurations."""
        return self.described(configs).lattice

    def described(self, configs: Mapping[str, Any]) -> VideoModel:
        """A model whose networks have these configurations, and no weights yet: it says what it is and takes."""
        return self.model(Weightless(configs))


def family(name: str = DEFAULT) -> Family:
    """The family of a name.

    Raises:
        InputError: there is none of this name.

    >>> tuple(family().configs)
    ('unet', 'vae', 'image_encoder')
    """
    if name not in FAMILIES:
        raise InputError(f"no family of models is called {name!r}: this version knows {', '.join(FAMILIES)}")
    return import_module(FAMILIES[name]).FAMILY
