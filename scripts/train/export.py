"""Write the trained networks as a folder in diffusers' layout, which this project and diffusers both read."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from nvs_jax.disk import atomic_folder
from nvs_jax.models.svd.build import build
from nvs_jax.models.svd.config import published_form
from nvs_jax.models.svd.networks import CONFIG_CLASSES, SVDNetworks
from nvs_jax.models.weights import parameter_specs
from nvs_jax.settings.presets import own_presets

_FILES = {
    "unet": "diffusion_pytorch_model.safetensors",
    "vae": "diffusion_pytorch_model.safetensors",
    "image_encoder": "model.safetensors",
}


def export(folder: Path, networks: SVDNetworks, dtype: str = "float16") -> None:
    """The three networks with their configurations; a folder that is there is replaced, but for its settings."""
    settings = {own.name: own.read_bytes() for own in own_presets(folder)}
    with atomic_folder(folder) as partial:
        for name, content in settings.items():
            (partial / name).write_bytes(content)
        index: dict[str, object] = {"_class_name": "StableVideoDiffusionPipeline"}
        for component in CONFIG_CLASSES:
            config = networks.configs[component]
            described = published_form(config)
            (partial / component).mkdir()
            (partial / component / "config.json").write_text(json.dumps(described, indent=1) + "\n")
            save_file(_published(networks, component, dtype), partial / component / _FILES[component])
            library = "transformers" if component == "image_encoder" else "diffusers"
            index[component] = [library, described["_class_name"]]
        (partial / "model_index.json").write_text(json.dumps(index, indent=1) + "\n")


def _published(networks: SVDNetworks, component: str, dtype: str) -> dict[str, np.ndarray]:
    """A component's tensors with the published axes."""
    weights = networks.weights(component)
    return {
        name: np.ascontiguousarray(np.asarray(weights[name]).transpose(np.argsort(spec.published_axes)), dtype)
        for name, spec in parameter_specs(build(networks.configs[component])).items()
    }
