"""The text encoder, a layer at a time out of its files, against the whole of it."""

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from convert.tensor_files import open_tensors
from convert.wan_layout import TABLES, pair
from convert.wan_text_encoder import encode
from nvs_jax.errors import InputError
from nvs_jax.models.stacked import layer_names, of_single_layers
from nvs_jax.models.umt5.config import TextEncoderConfig
from nvs_jax.models.umt5.encoder import TextEncoder
from nvs_jax.models.weights import bind, parameter_specs
from tests.convert.published import published_tensors

CONFIG = TextEncoderConfig(vocab_size=6, d_model=6, d_kv=2, d_ff=8, num_layers=3, num_heads=3)
SPECS = parameter_specs(TextEncoder(CONFIG))


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """In bfloat16, as the published one is."""
    folder = tmp_path_factory.mktemp("text_encoder")
    tensors = published_tensors(of_single_layers(SPECS))
    save_file({name: value.astype(ml_dtypes.bfloat16) for name, value in tensors.items()}, folder / "model.safetensors")
    files = open_tensors(folder, "model")
    return files, pair(TABLES["text_encoder"], files.tensors, SPECS, files.name)


def test_embeddings_are_the_whole_encoders_of_texts_without_their_padding(published):
    files, taken = published
    weights = {}
    for name, spec in SPECS.items():
        layers = [files.read(each).transpose(spec.published_axes) for each in layer_names(name, spec)]
        weights[name] = jnp.asarray(np.stack(layers) if spec.layers else layers[0], jnp.float32)
    tokens = np.array([[3, 4, 5, 1, 0], [1, 0, 0, 0, 0]], np.int32)
    made = np.asarray(encode(files, taken, CONFIG, tokens, tokens != 0))
    alone = bind(TextEncoder(CONFIG), weights)(jnp.asarray(tokens[:1, :4]), jnp.ones((1, 4), bool))
    np.testing.assert_allclose(made[0, :4], alone[0], rtol=1e-5, atol=1e-5)
    assert not made[0, 4:].any() and not made[1, 1:].any() and made[1, 0].any()


def test_a_word_that_the_table_does_not_have_is_refused(published):
    files, taken = published
    with pytest.raises(InputError, match=r"row 6 of shared\.weight is asked for, which has 6"):
        encode(files, taken, CONFIG, np.array([[6]], np.int32), np.ones((1, 1), bool))
