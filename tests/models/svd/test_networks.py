import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.svd.config import UNetConfig, VAEConfig
from nvs_jax.models.svd.networks import CONFIG_CLASSES, SVDNetworks, held_dtype


def test_each_component_has_its_configuration_and_weights():
    networks = SVDNetworks(
        unet_config=UNetConfig(),
        unet={"a": jnp.zeros(1)},
        vae_config=VAEConfig(),
        vae={"b": jnp.zeros(1)},
        image_encoder_config=ImageEncoderConfig(),
        image_encoder={"c": jnp.zeros(1)},
    )
    for (component, kind), name in zip(CONFIG_CLASSES.items(), "abc", strict=True):
        assert networks.configs[component] == kind()
        assert list(networks.weights(component)) == [name]
    with pytest.raises(dataclasses.FrozenInstanceError):
        networks.unet = {}  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("component", CONFIG_CLASSES)
@pytest.mark.parametrize("stored", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("wanted", [None, "bfloat16", jnp.float16])
def test_the_vae_is_float32_and_nothing_is_float64(component: str, stored: str, wanted: Any):
    held = held_dtype(component, stored, wanted)
    if component == "vae":
        assert held == np.float32
    elif wanted is not None:
        assert held == jnp.dtype(wanted)
    else:
        assert held == ("float32" if stored == "float64" else jnp.dtype(stored))
