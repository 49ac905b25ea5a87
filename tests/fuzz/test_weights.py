"""Folders of weights in which something is damaged or invented, through `nvs-jax convert`."""

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvs_jax.cli import main
from tests.fuzz.command import CHANGES, KEEP, damaged, fuzz, outcome
from tests.tiny import write_tiny_folder

CONFIGS = {name: f"{name}/config.json" for name in ("unet", "vae", "image_encoder")}
INDEXES = ("model_index.json", "scheduler/scheduler_config.json", *CONFIGS.values())
FILES = {
    "unet": "unet/diffusion_pytorch_model.safetensors",
    "vae": "vae/diffusion_pytorch_model.safetensors",
    "image_encoder": "image_encoder/model.safetensors",
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    return write_tiny_folder(tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="module")
def checkpoint(sound, tmp_path_factory) -> Path:
    destination = tmp_path_factory.mktemp("sound") / "checkpoint"
    main(["convert", str(sound), str(destination)])
    return destination


class Copy:
    """A folder in which one file at a time is another one."""

    def __init__(self, source: Path, folder: Path):
        self.weights, self.out = folder / "weights", folder / "out"
        shutil.copytree(source, self.weights)

    def convert_with(self, name: str, content: bytes) -> str:
        sound = (self.weights / name).read_bytes()
        (self.weights / name).write_bytes(content)
        try:
            return outcome(["convert", str(self.weights), str(self.out)], self.out)
        finally:
            (self.weights / name).write_bytes(sound)
            shutil.rmtree(self.out, ignore_errors=True)


@pytest.fixture(autouse=True)
def reading_alone(checkpoint, monkeypatch):
    """Reading is what is tried here; writing what was read would take most of the time."""
    monkeypatch.setattr("nvs_jax.checkpoint.save_arrays", lambda folder, arrays: len(dict(arrays)))


@pytest.fixture(scope="module")
def copy(sound, tmp_path_factory) -> Copy:
    return Copy(sound, tmp_path_factory.mktemp("copy"))


@pytest.fixture(scope="module")
def checkpoint_copy(checkpoint, tmp_path_factory) -> Copy:
    return Copy(checkpoint, tmp_path_factory.mktemp("copy"))


def test_sound_files_are_taken(copy, checkpoint_copy):
    for folder, name in ((copy, "unet/config.json"), (checkpoint_copy, "nvs_jax.json")):
        assert folder.convert_with(name, (folder.weights / name).read_bytes()) == ""


HOSTILE = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, -1, 1, 3, 7, 32, 33, 64, 10**9, 2**63, 10**30, 0.5, 1e308, float("nan"), float("inf")])
    | st.text(max_size=4)
    | st.sampled_from(["gelu", "DownBlockSpatioTemporal", "DownEncoderBlock2D"])
)
VALUES = st.recursive(
    HOSTILE, lambda node: st.lists(node, max_size=4) | st.dictionaries(st.text(max_size=2), node, max_size=2)
)


@fuzz(50)
@given(component=st.sampled_from(sorted(CONFIGS)), data=st.data())
def test_configurations_with_other_values(copy, component, data):
    config = json.loads((copy.weights / CONFIGS[component]).read_text())
    names = data.draw(st.lists(st.sampled_from(sorted(config)), min_size=1, max_size=2, unique=True))
    changed = config | {name: data.draw(VALUES) for name in names}
    copy.convert_with(CONFIGS[component], json.dumps(changed).encode())


TEXTS = {
    "empty": b"",
    "deep": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "list": b"[]",
    "text": b'"StableVideoDiffusionPipeline"',
    "number": b"1e999",
    "nan": b"NaN",
    "digits": b"1" * 10_000,
    "digits inside": b'{"_class_name": ' + b"1" * 10_000 + b"}",
    "not utf-8": b'{"_class_name": "\xff"}',
    "utf-16": '{"_class_name": "StableVideoDiffusionPipeline"}'.encode("utf-16"),
    "list of names": b'{"_class_name": ["StableVideoDiffusionPipeline"]}',
    "object for a name": b'{"_class_name": {"a": 1}, "architectures": {"a": 1}}',
    "number for architectures": b'{"architectures": 5}',
    "long name": b'{"_class_name": "' + b"a" * 500_000 + b'", "prediction_type": "' + b"b" * 500_000 + b'"}',
    "nested name": b'{"_class_name": ' + b"[" * 500 + b"]" * 500 + b', "prediction_type": {"a": [1, 2]}}',
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", INDEXES)
def test_other_texts_for_configurations(copy, name, text):
    refusal = copy.convert_with(name, TEXTS[text])
    assert refusal or name.startswith("scheduler"), "of the scheduler only one entry matters"


@pytest.mark.parametrize(
    "changed",
    [
        {"block_out_channels": [32] * 100_000},
        {"block_out_channels": [32 * 10**12, 64]},
        {"block_out_channels": "32"},
        {"block_out_channels": 32},
        {"block_out_channels": []},
        {"layers_per_block": 10**9},
        {"layers_per_block": [10**9, 10**9]},
        {"layers_per_block": "1"},
        {"layers_per_block": [1]},
        {"transformer_layers_per_block": [["x"], [1]]},
        {"transformer_layers_per_block": [[10**9], [1]]},
        {"transformer_layers_per_block": 10**9},
        {"num_attention_heads": [10**9, 2]},
        {"num_attention_heads": [3, 5]},
        {"num_attention_heads": "2"},
        {"num_hidden_layers": 10**9},
        {"image_size": 10**9},
        {"image_size": 1},
        {"patch_size": 10**9},
        {"hidden_size": 10**12},
        {"hidden_act": 5},
        {"layer_norm_eps": "small"},
        {"layer_norm_eps": -1.0},
        {"scaling_factor": "0.18"},
        {"scaling_factor": 0},
        {"scaling_factor": float("nan")},
        {"latent_channels": 10**12},
        {"num_frames": 10**12},
        {"addition_time_embed_dim": 31},
        {"cross_attention_dim": [None, None]},
        {"down_block_types": "CrossAttnDownBlockSpatioTemporal"},
        {"down_block_types": [["a"], ["b"]]},
        {"down_block_types": [1, 2]},
        {"up_block_types": ["DownBlockSpatioTemporal", "DownBlockSpatioTemporal"]},
    ],
    ids=lambda changed: str(changed)[:60],
)
def test_configurations_that_would_break_the_networks(copy, changed):
    for component, path in CONFIGS.items():
        config = json.loads((copy.weights / path).read_text())
        if config.keys() >= changed.keys():
            assert copy.convert_with(path, json.dumps(config | changed).encode()), component


@fuzz(20)
@given(component=st.sampled_from(sorted(FILES)), changes=CHANGES, keep=KEEP)
def test_damaged_safetensors(copy, component, changes, keep):
    content = (copy.weights / FILES[component]).read_bytes()
    copy.convert_with(FILES[component], damaged(content, changes, keep))


@fuzz(20)
@given(component=st.sampled_from(sorted(FILES)), data=st.data())
def test_safetensors_with_another_header(copy, component, data):
    content = (copy.weights / FILES[component]).read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    name = data.draw(st.sampled_from(sorted(header)))
    whole = st.integers(-1, 64) | st.sampled_from([10**12, 2**63, 2**64])
    change = {
        "dtype": st.sampled_from(["F64", "F16", "BF16", "I64", "BOOL", "F8_E4M3", "?", 5, None]),
        "shape": st.lists(whole, max_size=4) | HOSTILE,
        "data_offsets": st.lists(whole, max_size=3) | HOSTILE,
    }
    key = data.draw(st.sampled_from(sorted(change)))
    header[name] = header[name] | {key: data.draw(change[key])}
    changed = json.dumps(header).encode()
    copy.convert_with(FILES[component], struct.pack("<Q", len(changed)) + changed + content[8 + length :])


@pytest.mark.parametrize("length", [0, 1, 7, 10**8 + 1, 10**12, 2**63, 2**64 - 1])
def test_header_lengths_are_not_believed(copy, length):
    assert copy.convert_with(FILES["vae"], struct.pack("<Q", length) + b'{"a": 1}' + b"\0" * 64)


def test_a_damaged_checkpoint_is_one_line(checkpoint, tmp_path):
    """Its files keep their sizes, so that it is Orbax that notices; it does so in a hundred threads."""
    copy = shutil.copytree(checkpoint, tmp_path / "copy")
    largest = max(copy.rglob("d/*"), key=lambda path: path.stat().st_size)
    largest.write_bytes(bytes(255 - byte for byte in largest.read_bytes()))
    command = [sys.executable, "-m", "nvs_jax", "convert", str(copy), str(tmp_path / "out")]
    failed = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    assert failed.returncode == 2
    assert failed.stderr.count("\n") == 1, failed.stderr[:2000]
    assert "weights is damaged" in failed.stderr
    assert not (tmp_path / "out").exists()


@fuzz(15)
@given(data=st.data())
def test_descriptions_of_checkpoints_with_other_values(checkpoint_copy, data):
    description = json.loads((checkpoint_copy.weights / "nvs_jax.json").read_text())
    place = description
    for _ in range(data.draw(st.integers(0, 2))):
        inside = sorted(name for name, value in place.items() if isinstance(value, dict))
        place = place[data.draw(st.sampled_from(inside))] if inside else place
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(VALUES)
    checkpoint_copy.convert_with("nvs_jax.json", json.dumps(description).encode())
