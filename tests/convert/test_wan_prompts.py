"""Prompts become embeddings with a tokenizer and a text encoder as small as they can be."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from convert.wan_prompts import tokenized
from nvs_jax.errors import InputError
from nvs_jax.models.umt5.config import TextEncoderConfig

WORDS = {"<pad>": 0, "</s>": 1, "<unk>": 2, "a": 3, "still": 4, "scene": 5}
ENCODER = TextEncoderConfig(vocab_size=6, d_model=6, d_kv=2, d_ff=8, num_layers=2, num_heads=3)


def write_tokenizer(path: Path) -> Path:
    tokenizer = Tokenizer(WordLevel(WORDS, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.post_processor = TemplateProcessing(  # pyright: ignore[reportAttributeAccessIssue]
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def test_texts_end_with_their_end_and_are_padded_or_cut(folder, capsys):
    tokens, present = tokenized(folder, 5, ["a still scene", "", "a a a a a a"])
    assert capsys.readouterr().err == "the prompt 'a a a a a a' is cut after 5 of 7 tokens\n"
    np.testing.assert_array_equal(tokens, [[3, 4, 5, 1, 0], [1, 0, 0, 0, 0], [3, 3, 3, 3, 1]])
    np.testing.assert_array_equal(present.sum(1), [4, 1, 5])


def test_a_folder_without_a_tokenizer_or_with_a_damaged_one_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no tokenizer: it needs"):
        tokenized(tmp_path, 5, ["a"])
    (tmp_path / "tokenizer_config.json").write_text("{")
    with pytest.raises(InputError, match="that can be read"):
        tokenized(tmp_path, 5, ["a"])
