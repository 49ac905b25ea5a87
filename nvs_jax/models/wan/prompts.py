"""Prompts as a network without layers: their embeddings, made once, so that a render needs no text encoder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.errors import InputError
from nvs_jax.models.layers import parameter
from nvs_jax.models.published import read_fields
from nvs_jax.models.weights import Weights

WANTED = "A photograph of a completely frozen, static scene. Nothing moves but the camera, which glides slowly past it."
UNWANTED = ""
"""The model's own list of what is not wanted has "static" and "still picture" in it: just what views of a scene are."""

Embed = Callable[[str], Float[Array, "s d"]]


@dataclass(frozen=True)
class PromptsConfig:
    """Which texts have embeddings, and how large those are.

    Attributes:
        tokens: of each.
        width: of a token.
        texts: that are kept; the first is what is wanted of a video where nothing is said, the second what is not.
        embed: a text encoder beside the weights; None: only what is kept can be said. It is no part of a checkpoint.
    """

    tokens: int = 512
    width: int = 4096
    texts: tuple[str, ...] = (WANTED, UNWANTED)
    embed: Embed | None = field(default=None, compare=False, repr=False)


def parse_prompts(kept: Mapping[str, Any], where: str) -> PromptsConfig:
    """What a checkpoint says of them; `where` names it in errors.

    Raises:
        InputError: a size is none, or no texts to begin with.
    """
    config = read_fields(PromptsConfig, {name: kept[name] for name in kept if name != "embed"}, where)
    if not config.tokens or not config.width:
        raise InputError(f"{where}: tokens and width must be at least 1")
    if len(config.texts) < 2:
        raise InputError(f"{where}: texts must be two at least, what is wanted and what is not")
    return config


def published_prompts(config: PromptsConfig) -> dict[str, Any]:
    """The inverse of `parse_prompts`, ready for JSON."""
    return {"tokens": config.tokens, "width": config.width, "texts": list(config.texts)}


class Prompts(nnx.Module):
    """The embeddings, as they are kept."""

    def __init__(self, config: PromptsConfig):
        self.embeddings = parameter(len(config.texts), config.tokens, config.width)


def texts_of(config: PromptsConfig, wanted: str | None, unwanted: str | None) -> tuple[str, str]:
    """What is not wanted of a video and what is, tidied, as classifier-free guidance takes them.

    Raises:
        InputError: a text that is not kept, and no encoder.

    >>> texts_of(PromptsConfig(), None, None) == (UNWANTED, WANTED)
    True
    """
    kept = config.texts
    asked = (kept[1] if unwanted is None else tidy(unwanted), kept[0] if wanted is None else tidy(wanted))
    for text in asked:
        if text not in kept and config.embed is None:
            raise InputError(
                f"these weights keep no embedding of the prompt {text[:60]!r}, and have no text encoder: give the "
                "published folder as --weights, or convert it again with --prompts"
            )
    return asked


def embeddings_of(config: PromptsConfig, kept: Weights, texts: Sequence[str]) -> Float[Array, "n s d"]:
    """Embeddings of texts that `texts_of` let pass."""
    held = kept["embeddings"]

    def embedding(text: str) -> Array:
        if text in config.texts:
            return held[config.texts.index(text)]
        assert config.embed is not None, "texts_of refuses it"
        return jnp.asarray(np.asarray(config.embed(text)), held.dtype)  # from wherever the encoder was

    return jnp.stack([embedding(text) for text in texts])


def tidy(text: str) -> str:
    """A text without what makes no difference to the tokenizer.

    >>> tidy(" a  house ")
    'a house'
    """
    return " ".join(text.split())
