"""Networks held one at a time: the same video, and never two of them on the device."""

import jax
import numpy as np
import pytest

from nvs_jax.models.networks import NetworksInTurn
from nvs_jax.models.svd.model import SVD
from nvs_jax.models.svd.networks import CONFIG_CLASSES
from nvs_jax.pipeline import Pipeline, load
from nvs_jax.settings import RenderSettings, ScheduleSettings
from nvs_jax.steering.conditions import from_photo
from tests.test_pipeline import INTRINSICS, PATH, render
from tests.tiny import scene, tiny_networks, tiny_pipeline, write_tiny_folder

SETTINGS = RenderSettings(schedule=ScheduleSettings(steps=2))


class Watched:
    """Loads copies of networks that are in memory on the host, and looks at what is alive whenever one is loaded."""

    def __init__(self):
        whole = tiny_networks()
        self.host = {name: jax.tree.map(np.asarray, whole.weights(name)) for name in CONFIG_CLASSES}
        self.loaded, self.handed_out = [], []
        self.networks = NetworksInTurn({name: whole.configs[name] for name in CONFIG_CLASSES}, self.load)

    def load(self, component):
        assert not any(not array.is_deleted() for array in self.handed_out), f"two networks while loading {component}"
        self.loaded.append(component)
        weights = {name: jax.device_put(array) for name, array in self.host[component].items()}
        self.handed_out = list(weights.values())
        return weights


def test_a_render_loads_each_network_when_its_turn_comes():
    watched = Watched()
    pipeline = Pipeline(SVD(watched.networks))
    photo, depth = scene()
    result = render(pipeline, photo, depth, settings=SETTINGS)
    assert watched.loaded == ["image_encoder", "vae", "unet", "vae"]
    expected = render(tiny_pipeline(), photo, depth, settings=SETTINGS)
    np.testing.assert_array_equal(result.frames, expected.frames)
    again = render(pipeline, photo, depth, settings=SETTINGS)
    np.testing.assert_array_equal(again.frames, expected.frames)
    assert watched.loaded == 2 * ["image_encoder", "vae", "unet", "vae"]


def test_only_one_network_is_among_the_live_arrays():
    """Seen from outside: weights of the tiny networks are told from other arrays by their bytes."""
    watched = Watched()
    pipeline = Pipeline(SVD(watched.networks))
    sizes = {name: sum(array.nbytes for array in arrays.values()) for name, arrays in watched.host.items()}

    def alive():
        mine = {id(array) for array in watched.handed_out}
        return sum(array.nbytes for array in jax.live_arrays() if id(array) in mine)

    seen = []
    conditions = from_photo(*scene(), INTRINSICS, PATH, SETTINGS)
    before = sum(array.nbytes for array in jax.live_arrays())
    pipeline.render_conditions(
        conditions,
        settings=SETTINGS,
        report=lambda stage, *_: seen.append((stage, alive(), sum(array.nbytes for array in jax.live_arrays()))),
    )
    assert [one[:2] for one in seen] == [
        ("warp", 0),
        ("encode", sizes["unet"]),
        ("sample", sizes["unet"]),
        ("sample", sizes["unet"]),
        ("decode", sizes["vae"]),
    ]
    # Whatever else a render holds at these times (latents, frames) is small beside a network here.
    for _, network, total in seen:
        assert total - before - network < min(sizes["unet"], sizes["vae"])


@pytest.mark.parametrize("kind", [pytest.param("folder", marks=pytest.mark.full), "checkpoint"])
def test_from_files(kind, tmp_path):
    from convert import convert

    source = write_tiny_folder(tmp_path / "svd")
    if kind == "checkpoint":
        convert(source, tmp_path / "checkpoint")
        source = tmp_path / "checkpoint"
    photo, depth = scene()
    one, other = (render(load(source, low_memory=low), photo, depth, settings=SETTINGS) for low in (False, True))
    np.testing.assert_array_equal(one.frames, other.frames)


def test_freed_weights_cannot_be_used():
    networks = Watched().networks
    weights = networks.weights("unet")
    assert networks.weights("unet") is weights
    assert networks.weights("vae")
    with pytest.raises(RuntimeError, match="deleted"):
        np.asarray(weights["conv_in.weight"])
    networks.free()
    networks.free()
