import dataclasses
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from convert import convert
from nvs_jax import checkpoint
from nvs_jax.checkpoint import check_destination, is_checkpoint, open_checkpoint, write_checkpoint
from nvs_jax.errors import InputError
from nvs_jax.models.svd.build import build
from nvs_jax.models.svd.config import UNetConfig, VAEConfig
from nvs_jax.models.svd.family import FAMILY
from nvs_jax.models.svd.networks import CONFIG_CLASSES, SVDNetworks, as_svd
from nvs_jax.models.weights import random_weights
from tests.convert.published import CONFIGS


def networks() -> SVDNetworks:
    """Of one level each; the image encoder in bfloat16, and every configuration with something of its own."""
    configs = {
        "unet": UNetConfig(
            down_block_types=("DownBlockSpatioTemporal",),
            up_block_types=("UpBlockSpatioTemporal",),
            block_out_channels=(32,),
            addition_time_embed_dim=32,
            projection_class_embeddings_input_dim=96,
            layers_per_block=(1,),
            cross_attention_dim=(16,),
            transformer_layers_per_block=((1,),),
            num_attention_heads=(1,),
            num_frames=14,
        ),
        "vae": VAEConfig(
            down_block_types=("DownEncoderBlock2D",), block_out_channels=(32,), layers_per_block=1, scaling_factor=0.13
        ),
        "image_encoder": dataclasses.replace(CONFIGS["image_encoder"], layer_norm_eps=1e-6),
    }
    weights = {
        component: random_weights(build(config), seed) for seed, (component, config) in enumerate(configs.items())
    }
    encoder = weights["image_encoder"].items()
    weights["image_encoder"] = {name: jnp.asarray(np.asarray(array).astype(jnp.bfloat16)) for name, array in encoder}
    fields: dict[str, Any] = {f"{component}_config": config for component, config in configs.items()}
    fields |= weights
    return SVDNetworks(**fields)


NETWORKS = networks()


def save_checkpoint(path: Path, held: SVDNetworks, **asked: Any) -> None:
    write_checkpoint(path, FAMILY, held.configs, lambda name: held.weights(name).items(), **asked)


def restore_checkpoint(path: Path, **asked: Any) -> SVDNetworks:
    return as_svd(open_checkpoint(path).networks(**asked))


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
        assert restored.configs[component] == expected.configs[component]
        assert restored.weights(component).keys() == expected.weights(component).keys()
        for name, array in expected.weights(component).items():
            other = restored.weights(component)[name]
            assert other.dtype == array.dtype and other.shape == array.shape
            assert np.asarray(other).tobytes() == np.asarray(array).tobytes(), name


def test_what_is_saved_is_restored_bit_for_bit(saved: Path):
    assert_same(restore_checkpoint(saved), NETWORKS)


def test_the_description_is_readable(saved: Path):
    description = json.loads((saved / "nvs_jax.json").read_text())
    assert description["format_version"] == checkpoint.WITHOUT_STACKS == 3  # which versions before read
    assert description["source"] == "svd-xt"
    assert description["configs"]["unet"]["num_frames"] == 14


def test_nothing_else_is_left_beside_the_checkpoint(saved: Path):
    assert [path.name for path in saved.parent.iterdir()] == ["checkpoint"]


def test_a_dtype_is_for_the_unet_and_the_image_encoder_and_rounds_as_jax_does(saved: Path):
    restored = restore_checkpoint(saved, dtype="bfloat16")
    assert all(array.dtype == jnp.bfloat16 for array in [*restored.unet.values(), *restored.image_encoder.values()])
    assert all(array.dtype == jnp.float32 for array in restored.vae.values())
    for name, array in NETWORKS.unet.items():
        assert np.array_equal(restored.unet[name], np.asarray(array).astype(jnp.bfloat16))


def test_each_array_goes_where_it_is_sent(saved: Path):
    mesh = Mesh(np.array(jax.devices()), ("rows",))
    asked = []

    def sharding(name: str, shape: tuple[int, ...]) -> NamedSharding:
        asked.append(name)
        return NamedSharding(mesh, PartitionSpec())

    restored = restore_checkpoint(saved, sharding=sharding)
    assert all(array.sharding == NamedSharding(mesh, PartitionSpec()) for array in restored.unet.values())
    names = {f"{component}/{name}" for component in CONFIG_CLASSES for name in NETWORKS.weights(component)}
    assert set(asked) == names and len(asked) == len(names)


SHARDED = """
import sys
import jax
jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_platforms", "cpu")
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
from convert.memory import PeakMemory, held
from nvs_jax.checkpoint import open_checkpoint, write_checkpoint
from nvs_jax.models.families import family

mesh = Mesh(jax.devices(), ("devices",))
WIDE = {"fc1.weight": P(None, "devices"), "fc1.bias": P("devices"), "fc2.weight": P("devices")}

def sharding(name, shape):
    return NamedSharding(mesh, WIDE.get(".".join(name.split(".")[-2:]), P()))

opened = open_checkpoint(sys.argv[1])
weights = {component: opened.load(component) for component in ("unet", "vae")}
before = held()
with PeakMemory() as peak:
    weights["image_encoder"] = opened.load("image_encoder", sharding=sharding)
for name, array in weights["image_encoder"].items():
    wanted = sharding(f"image_encoder/{name}", array.shape)
    assert array.sharding == wanted and len(array.addressable_shards) == 8, name
    assert {shard.data.shape for shard in array.addressable_shards} == {wanted.shard_shape(array.shape)}, name
layer = weights["image_encoder"]["vision_model.encoder.layers.0.mlp.fc1.weight"]
assert layer.addressable_shards[0].data.shape == (128, 4096)
write_checkpoint(sys.argv[2], family(opened.family), opened.configs, lambda component: weights[component].items())
print(peak.bytes - before)
"""


def test_eight_devices_read_only_their_shards_and_write_what_one_device_reads(tmp_path: Path):
    config = dataclasses.replace(CONFIGS["image_encoder"], hidden_size=128, intermediate_size=8 * 4096)
    wide = dataclasses.replace(
        NETWORKS, image_encoder_config=config, image_encoder=random_weights(build(config), seed=0)
    )
    save_checkpoint(tmp_path / "wide", wide)
    command = [sys.executable, "-c", SHARDED, str(tmp_path / "wide"), str(tmp_path / "from_eight")]
    taken = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert_same(restore_checkpoint(tmp_path / "from_eight"), wide)
    # Eight copies would be eight times as much; beside the arrays themselves there is what is being read.
    assert taken < 3 * sum(array.nbytes for array in wide.image_encoder.values())


KILLED = """
import os, signal, sys
from nvs_jax import checkpoint

save = checkpoint.save_arrays
def save_arrays(folder, arrays):
    if folder.name == "vae":
        os.kill(os.getpid(), signal.SIGKILL)
    return save(folder, arrays)

checkpoint.save_arrays = save_arrays
from convert import convert
convert(sys.argv[1], sys.argv[2], overwrite=True)
"""


def test_a_conversion_that_is_killed_leaves_nothing_that_loads_and_the_next_one_cleans_up(copy: Path, tmp_path: Path):
    destination = tmp_path / "made"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(copy), str(destination)], capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    (left,) = [path for path in tmp_path.iterdir() if path != copy]
    assert left.name == ".made.run" and any((left / "result" / "weights" / "unet").iterdir())
    for path in (destination, left, left / "result"):
        assert not is_checkpoint(path)
        with pytest.raises(InputError, match="is not a checkpoint"):
            restore_checkpoint(path)
    convert(copy, destination)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "made"]
    assert_same(restore_checkpoint(destination), NETWORKS)


def test_it_refuses_to_overwrite_unless_told_and_never_what_is_not_a_checkpoint(copy: Path, tmp_path: Path):
    with pytest.raises(InputError, match="already holds a checkpoint"):
        save_checkpoint(copy, NETWORKS)
    save_checkpoint(copy, NETWORKS, source="again", overwrite=True)
    assert json.loads((copy / "nvs_jax.json").read_text())["source"] == "again"
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
    for other in (tmp_path, copy / "nvs_jax.json"):
        with pytest.raises(InputError, match="exists and is not a checkpoint"):
            check_destination(other, overwrite=True)


def test_an_empty_folder_and_a_new_path_are_fine_destinations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoint, "save_arrays", lambda folder, arrays: len(dict(arrays)))  # takes seconds
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "new" / "deeper"):
        save_checkpoint(path, NETWORKS)
        assert is_checkpoint(path)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interrupted_save_leaves_nothing(tmp_path: Path, error: type[BaseException]):
    def interrupt() -> dict[str, Any]:
        assert any(tmp_path.rglob("_METADATA"))  # the weights are already written
        raise error

    with pytest.raises(error):
        save_checkpoint(tmp_path / "checkpoint", NETWORKS, record=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(OSError, match="No space left on device"):
        save_checkpoint(tmp_path / "checkpoint", NETWORKS)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_overwrite_leaves_the_old_one(copy: Path):
    def interrupt() -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(copy, NETWORKS, overwrite=True, record=interrupt)
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
    "another version": (change("format_version", 99), r"has checkpoint format 99, this code reads 4: convert it again"),
    "no version": (lambda description: description.pop("format_version"), "has checkpoint format None"),
    "another family": (change("family", "toy"), "no family of models is called 'toy': this version knows svd"),
    "no name of a family": (change("family", 3), "does not name a family of models"),
    "no files": (lambda description: description.pop("files"), "does not describe files"),
    "no configurations": (change("configs", []), "does not describe configs"),
    "a network missing": (lambda description: description["configs"].pop("vae"), "does not describe vae"),
    "a width changed by hand": (
        lambda description: description["configs"]["unet"].update(block_out_channels=[64]),
        r"nvs_jax\.json describes another unet than weights/unet holds: \d+ arrays differ, .* is .* there and ",
    ),
    "a layer more by hand": (
        lambda description: description["configs"]["image_encoder"].update(num_hidden_layers=3),
        r"another image_encoder than weights/image_encoder holds: 16 arrays differ, .*layers\.2.* is missing there",
    ),
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


def test_a_checkpoint_of_the_format_before_named_no_family_and_is_read(copy: Path):
    where = copy / "nvs_jax.json"
    description = json.loads(where.read_text())
    assert description.pop("family") == "svd"
    where.write_text(json.dumps(description | {"format_version": 2}))
    assert_same(restore_checkpoint(copy), NETWORKS)


def test_numbers_that_are_none_are_refused_by_their_tensor(tmp_path: Path):
    broken = dataclasses.replace(NETWORKS, vae={**NETWORKS.vae})
    broken.vae["quant_conv.bias"] = broken.vae["quant_conv.bias"].at[0].set(jnp.nan)
    save_checkpoint(tmp_path / "broken", broken)
    with pytest.raises(InputError, match=r"1 of \d+ values of vae/quant_conv\.bias are NaN or infinite"):
        restore_checkpoint(tmp_path / "broken")


def test_a_description_that_is_not_json_is_an_error(copy: Path):
    (copy / "nvs_jax.json").write_bytes(b'{"format')
    with pytest.raises(InputError, match="not readable JSON"):
        restore_checkpoint(copy)
