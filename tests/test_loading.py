"""Where weights go when a model is loaded on a mesh."""

import pytest
from jax.sharding import PartitionSpec

from nvs_jax.errors import InputError
from nvs_jax.loading import load_model
from nvs_jax.sharding import AXES, make_mesh, place
from tests.models.wan.published import write_published
from tests.tiny import FRAMES, write_tiny_folder


def test_of_divided_weights_each_device_has_a_part_of_every_layer(tmp_path):
    mesh = make_mesh()
    model = load_model(write_published(tmp_path), mesh=mesh, divide_weights=True)
    weights = model.networks.weights("transformer")
    specs = {name: getattr(array.sharding, "spec", None) for name, array in weights.items()}
    assert specs["blocks.each.ffn.net.2.weight"] == PartitionSpec(None, AXES)
    assert specs["proj_out.weight"] == PartitionSpec()
    assert all(array.sharding.is_fully_replicated for array in model.networks.weights("vae").values())
    placed = place(weights, mesh)  # as the sampler does: they stay where they are
    assert all(placed[name].sharding == array.sharding for name, array in weights.items())


def test_a_model_whose_layers_are_of_many_shapes_is_refused(tmp_path):
    folder = write_tiny_folder(tmp_path, frames=FRAMES)
    with pytest.raises(InputError, match=r"mesh\.weights: the weights of a model of the family svd stay whole"):
        load_model(folder, mesh=make_mesh(), divide_weights=True)
