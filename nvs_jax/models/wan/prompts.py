"""Prompts as a network without layers: their embeddings, made once, so that a render needs no text encoder."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.errors import InputError
from nvs_jax.models.layers import parameter
from nvs_jax.models.published import read_fields


@dataclasses.dataclass(frozen=True)
class PromptsConfig:
    """How large the embeddings are."""

    tokens: int = 512
    width: int = 4096


def parse_prompts(kept: Mapping[str, Any], where: str) -> PromptsConfig:
    """What a checkpoint says of them; `where` names it in errors.

    Raises:
        InputError: a size is none.
    """
    config = read_fields(PromptsConfig, kept, where)
    if not config.tokens or not config.width:
        raise InputError(f"{where}: tokens and width must be at least 1")
    return config


class Prompts(nnx.Module):
    """What is wanted of a video, and what is not."""

    def __init__(self, config: PromptsConfig):
        self.wanted = parameter(config.tokens, config.width)
        self.unwanted = parameter(config.tokens, config.width)

    def __call__(self) -> Float[Array, "2 s d"]:
        """The embeddings as classifier-free guidance takes them: the unconditional branch first."""
        return jnp.stack([self.unwanted[...], self.wanted[...]])
