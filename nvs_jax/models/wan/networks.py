"""The networks of a Wan as it is published: how their configurations are read, and what is built of them."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import nnx

from nvs_jax.models.clip.config import parse_image_encoder
from nvs_jax.models.clip.image_encoder import TokenEncoder
from nvs_jax.models.umt5.config import parse_text_encoder
from nvs_jax.models.umt5.encoder import TextEncoder
from nvs_jax.models.wan.config import parse_transformer, parse_vae
from nvs_jax.models.wan.transformer.network import WanTransformer
from nvs_jax.models.wan.vae.network import VAE


class Component(NamedTuple):
    """A network in a published folder.

    Attributes:
        parse: its published JSON object to its configuration; the last argument names it in errors.
        build: its configuration to the network, without values.
    """

    parse: Callable[[Mapping[str, Any], str], Any]
    build: Callable[[Any], nnx.Module]


COMPONENTS = {
    "transformer": Component(parse_transformer, WanTransformer),
    "vae": Component(parse_vae, VAE),
    "text_encoder": Component(parse_text_encoder, TextEncoder),
    "image_encoder": Component(parse_image_encoder, TokenEncoder),
}
"""By the folder in the diffusers layout; image-to-video models alone have the last."""


def held_dtype(component: str, stored: Any, wanted: Any = None) -> np.dtype:
    """The dtype a component's weights are held in: float32 for the VAE, elsewhere the wanted one, or as stored.

    >>> held_dtype("vae", "bfloat16", "bfloat16"), held_dtype("transformer", "float32", "bfloat16")
    (dtype('float32'), dtype(bfloat16))
    """
    if component == "vae":
        return np.dtype(np.float32)
    return jnp.dtype(stored if wanted is None else wanted)
