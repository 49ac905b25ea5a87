"""Prompts of a Wan as embeddings: made once, when weights are read, by the text encoder that lies beside them."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from nvs_jax.errors import InputError
from nvs_jax.models.umt5.config import TextEncoderConfig
from nvs_jax.models.umt5.encoder import TextEncoder
from nvs_jax.models.wan.prompts import PromptsConfig
from nvs_jax.models.weights import Weights, bind

WANTED = "A photograph of a completely frozen, static scene. Nothing moves but the camera, which glides slowly past it."
UNWANTED = ""
"""The model's own list of what is not wanted has "static" and "still picture" in it: just what views of a scene are."""


def embed_prompts(
    folder: Path, config: PromptsConfig, encoder: tuple[TextEncoderConfig, Weights], texts: Sequence[str]
) -> Float[Array, "n s d"]:
    """Embeddings of texts, zero beyond the end of each.

    Args:
        folder: the tokenizer's, `tokenizer/` of a published folder.
        config: how many tokens; what is longer is cut.
        encoder: the text encoder.
        texts: in any of its languages.

    Raises:
        InputError: the tokenizer cannot be read, or nothing here reads it.
    """
    tokens, present = tokenized(folder, config.tokens, texts)
    return _embed(encoder[1], jnp.asarray(tokens), jnp.asarray(present), encoder[0])


def prompt_weights(embeddings: Float[Array, "2 s d"]) -> Iterator[tuple[str, Array]]:
    """Embeddings of what is wanted and what is not as the parameters of `nvs_jax.models.wan.prompts.Prompts`."""
    yield from zip(("wanted", "unwanted"), embeddings, strict=True)


def tokenized(
    folder: Path, length: int, texts: Sequence[str]
) -> tuple[Int[np.ndarray, "n s"], Bool[np.ndarray, "n s"]]:
    """Numbers of tokens, and which of them are a text's own; the last is its end.

    Raises:
        InputError: see `embed_prompts`.
    """
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise InputError(
            "prompts are read with transformers, which is not installed: pip install transformers"
        ) from None
    if not (folder / "tokenizer_config.json").is_file():
        raise InputError(f"{folder} holds no tokenizer: it needs tokenizer_config.json and what belongs to it")
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # it raises almost anything of a damaged folder
        raise InputError(
            f"{folder} holds no tokenizer that can be read ({type(error).__name__}): get it again"
        ) from None
    tidy = [" ".join(text.split()) for text in texts]
    made = tokenizer(tidy, padding="max_length", max_length=length, truncation=True, return_tensors="np")
    return np.asarray(made["input_ids"], np.int32), np.asarray(made["attention_mask"], bool)


@partial(jax.jit, static_argnames="config")
def _embed(weights: Weights, tokens: Array, present: Array, config: TextEncoderConfig) -> Array:
    return bind(TextEncoder(config), weights)(tokens, present)
