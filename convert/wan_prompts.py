"""Prompts of a Wan as the tokens that its text encoder takes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int

from nvs_jax.errors import InputError
from nvs_jax.saying import say


def tokenized(
    folder: Path, length: int, texts: Sequence[str]
) -> tuple[Int[np.ndarray, "n s"], Bool[np.ndarray, "n s"]]:
    """Numbers of tokens, and which of them are a text's own; the last is its end.

    Args:
        folder: the tokenizer's, `tokenizer/` of a published folder.
        length: how many tokens; what is longer is cut, which is said.
        texts: in any of its languages.

    Raises:
        InputError: the tokenizer cannot be read, or nothing here reads it.
    """
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise InputError(
            "prompts are read with transformers, which is not installed: pip install 'nvs-jax[prompts]'"
        ) from None
    if not (folder / "tokenizer_config.json").is_file():
        raise InputError(f"{folder} holds no tokenizer: it needs tokenizer_config.json and what belongs to it")
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # it raises almost anything of a damaged folder
        raise InputError(
            f"{folder} holds no tokenizer that can be read ({type(error).__name__}): get it again"
        ) from None
    made = tokenizer(list(texts), padding="max_length", max_length=length, truncation=True, return_tensors="np")
    for text, whole in zip(texts, tokenizer(list(texts), verbose=False)["input_ids"], strict=True):
        if len(whole) > length:
            say(f"the prompt {text[:40]!r} is cut after {length} of {len(whole)} tokens")
    return np.asarray(made["input_ids"], np.int32), np.asarray(made["attention_mask"], bool)
