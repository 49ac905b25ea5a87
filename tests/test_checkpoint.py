import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from nvs_jax import checkpoint
from nvs_jax.checkpoint import check_destination, is_checkpoint, restore_checkpoint, save_checkpoint
from nvs_jax.errors import InputError
from nvs_jax.models.svd.config import ImageEncoderConfig, UNetConfig, VAEConfig
from nvs_jax.models.svd.networks import CONFIG_CLASSES, SVDNetworks


def random(seed: int, *shape: int, dtype: Any = jnp.float32) -> jax.Array:
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)


NETWORKS = SVDNetworks(
    unet_config=UNetConfig(num_frames=14, transformer_layers_per_block=((1, 1), (1, 2), (1, 1), (1, 1))),
    unet={"down_blocks.0.conv.weight": random(0, 3, 3, 4, 8), "down_blocks.0.conv.bias": random(1, 8)},
    vae_config=VAEConfig(scaling_factor=0.13),
    vae={"encoder.conv_in.weight": random(2, 8, 4)},
    image_encoder_config=ImageEncoderConfig(layer_norm_eps=1e-6),
    image_encoder={"visual_projection.weight": random(3, 4, 6, dtype=jnp.bfloat16)},
)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "checkpoint"
    save_checkpoint(path, NETWORKS, source="svd-xt")
    return path


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    """A checkpoint to damage."""
    return shutil.copytree(saved, tmp_path / "copy")


def assert_same(restored: SVDNetworks, expected: SVDNetworks) -> None:
    for component in CONFIG_CLASSES:
        assert restored.config(component) == expected.config(component)
        assert restored.weights(component).keys() == expected.weights(component).keys()
        for name, array in expected.weights(component).items():
            other = restored.weights(component)[name]
            assert other.dtype == array.dtype and other.shape == array.shape
            assert np.asarray(other).tobytes() == np.asarray(array).tobytes(), name


def test_what_is_saved_is_restored_bit_for_bit(saved: Path):
    assert_same(restore_checkpoint(saved), NETWORKS)


def test_the_description_is_readable(saved: Path):
    description = json.loads((saved / "nvs_jax.json").read_text())
    assert description["format_version"] == checkpoint.FORMAT_VERSION and description["source"] == "svd-xt"
    assert description["configs"]["unet"]["num_frames"] == 14


def test_nothing_else_is_left_beside_the_checkpoint(saved: Path):
    assert [path.name for path in saved.parent.iterdir()] == ["checkpoint"]


def test_a_dtype_is_for_the_unet_and_the_image_encoder_and_rounds_as_jax_does(saved: Path):
    restored = restore_checkpoint(saved, dtype="bfloat16")
    assert all(array.dtype == jnp.bfloat16 for array in [*restored.unet.values(), *restored.image_encoder.values()])
    assert all(array.dtype == jnp.float32 for array in restored.vae.values())
    for name, array in NETWORKS.unet.items():
        assert np.array_equal(restored.unet[name], array.astype(jnp.bfloat16))


def test_each_array_goes_where_it_is_sent(saved: Path):
    mesh = Mesh(np.array(jax.devices()), ("rows",))
    asked = []

    def sharding(name: str) -> NamedSharding:
        asked.append(name)
        return NamedSharding(mesh, PartitionSpec())

    restored = restore_checkpoint(saved, sharding=sharding)
    assert all(array.sharding == NamedSharding(mesh, PartitionSpec()) for array in restored.unet.values())
    names = {f"{component}/{name}" for component in CONFIG_CLASSES for name in NETWORKS.weights(component)}
    assert set(asked) == names and len(asked) == len(names)


SHARDED = """
import sys
import jax
jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_platforms", "cpu")
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from nvs_jax.checkpoint import restore_checkpoint, save_checkpoint
mesh = Mesh(jax.devices(), ("rows",))
def sharding(name):
    return NamedSharding(mesh, PartitionSpec("rows" if name == "vae/encoder.conv_in.weight" else None))
restored = restore_checkpoint(sys.argv[1], sharding=sharding)
assert {shard.data.shape for shard in restored.vae["encoder.conv_in.weight"].addressable_shards} == {(2, 4)}
assert len(restored.unet["down_blocks.0.conv.bias"].addressable_shards) == 4
save_checkpoint(sys.argv[2], restored)
"""


def test_four_devices_read_their_shards_and_write_what_one_device_reads(saved: Path, tmp_path: Path):
    command = [sys.executable, "-c", SHARDED, str(saved), str(tmp_path / "from_four")]
    subprocess.run(command, check=True, capture_output=True)
    assert_same(restore_checkpoint(tmp_path / "from_four"), NETWORKS)


def test_it_refuses_to_overwrite_unless_told_and_never_what_is_not_a_checkpoint(copy: Path, tmp_path: Path):
    with pytest.raises(InputError, match="already holds a checkpoint"):
        save_checkpoint(copy, NETWORKS)
    save_checkpoint(copy, NETWORKS, source="again", overwrite=True)
    assert json.loads((copy / "nvs_jax.json").read_text())["source"] == "again"
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
    for other in (tmp_path, copy / "nvs_jax.json"):
        with pytest.raises(InputError, match="exists and is not a checkpoint"):
            check_destination(other, overwrite=True)


def test_an_empty_folder_and_a_new_path_are_fine_destinations(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "new" / "deeper"):
        save_checkpoint(path, NETWORKS)
        assert is_checkpoint(path)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interrupted_save_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
):
    def interrupt(_: object) -> None:
        assert any(tmp_path.rglob("_METADATA"))  # the weights are already written
        raise error

    monkeypatch.setattr(checkpoint, "published_form", interrupt)
    with pytest.raises(error):
        save_checkpoint(tmp_path / "checkpoint", NETWORKS)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_overwrite_leaves_the_old_one(copy: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "published_form", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(copy, NETWORKS, overwrite=True)
    assert_same(restore_checkpoint(copy), NETWORKS)


@pytest.mark.parametrize("name", ["absent", "."])
def test_what_is_not_a_checkpoint_is_an_error(tmp_path: Path, name: str):
    assert not is_checkpoint(tmp_path / name)
    with pytest.raises(InputError, match=r"is not a checkpoint of this project: it has no nvs_jax\.json"):
        restore_checkpoint(tmp_path / name)


def test_any_missing_or_shortened_file_is_named(copy: Path):
    files = [path for path in (copy / "weights").rglob("*") if path.is_file()]
    assert len(files) > 5
    for path in files:
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(InputError, match=f"is incomplete: .*{path.name} is missing or cut short"):
            restore_checkpoint(copy)
        if content:
            path.write_bytes(content[:-1])
            with pytest.raises(InputError, match=f"{path.name} is missing or cut short"):
                restore_checkpoint(copy)
        path.write_bytes(content)
    assert_same(restore_checkpoint(copy), NETWORKS)


def change(key: str, value: object) -> Callable[[dict], object]:
    return lambda description: description.update({key: value})


DAMAGED = {
    "another version": (change("format_version", 99), r"has checkpoint format 99, this code reads 1: convert it again"),
    "no version": (lambda description: description.pop("format_version"), "has checkpoint format None"),
    "no files": (lambda description: description.pop("files"), "does not describe files"),
    "no configurations": (change("configs", []), "does not describe configs"),
    "a network missing": (lambda description: description["configs"].pop("vae"), "does not describe vae"),
    "another class": (
        lambda description: description["configs"]["vae"].update(_class_name="AutoencoderKL"),
        r"nvs_jax\.json \(vae\) is the configuration of AutoencoderKL",
    ),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_description_is_an_error(copy: Path, damage: str):
    alter, message = DAMAGED[damage]
    where = copy / "nvs_jax.json"
    description = json.loads(where.read_text())
    alter(description)
    where.write_text(json.dumps(description))
    with pytest.raises(InputError, match=message):
        restore_checkpoint(copy)


def test_a_description_that_is_not_json_is_an_error(copy: Path):
    (copy / "nvs_jax.json").write_bytes(b'{"format')
    with pytest.raises(InputError, match="not readable JSON"):
        restore_checkpoint(copy)
