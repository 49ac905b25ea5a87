import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import pytest

from nvs_jax.errors import InputError
from nvs_jax.evaluation.records import Experiment, Records, weights_digest
from nvs_jax.evaluation.variants import Variant
from nvs_jax.models.svd.networks import SVDNetworks
from nvs_jax.settings.evaluation import BenchmarkSettings
from tests.tiny import tiny_networks

ROOT = Path(__file__).parents[2]

# Appends results for ever, each with a long entry, so that it can be killed in the midst of one.
WRITER = """
import sys
from pathlib import Path
from nvs_jax.evaluation.records import Records
records = Records(Path(sys.argv[1]))
for number in range(10**9):
    records.append(str(number), text="x" * 100_000)
    print(number, flush=True)
"""


def test_what_was_kept_is_there_again(tmp_path):
    Records(tmp_path / "new" / "results.jsonl").append("a", value=1)
    records = Records(tmp_path / "new" / "results.jsonl")
    records.append("b", value=2)
    records.append("a", value=3)
    assert Records(records.path).lines == {"a": {"key": "a", "value": 3}, "b": {"key": "b", "value": 2}}


@pytest.mark.parametrize("torn", ['{"key": "c", "val', '{"key": "c", "value": 5}', "{", "\u00e9"])
def test_a_torn_last_line_is_dropped(tmp_path, torn):
    path = tmp_path / "results.jsonl"
    Records(path).append("a", value=1)
    whole = path.read_bytes()
    path.write_bytes(whole + torn.encode()[:-1] + torn.encode()[-1:])
    records = Records(path)
    assert set(records.lines) == {"a"}
    assert path.read_bytes() == whole
    records.append("c", value=6)
    assert Records(path).lines["c"]["value"] == 6


@pytest.mark.parametrize("torn", ["their last line", '{"key": "b", "value": 2}'])
def test_somebody_elses_file_keeps_its_last_line(tmp_path, torn):
    path = tmp_path / "results.jsonl"
    path.write_text('{"key": "a"}\n' + torn)
    with pytest.raises(InputError, match=r"results\.jsonl ends within a line, and was not begun by this version"):
        Records(path)
    assert path.read_text() == '{"key": "a"}\n' + torn


def test_a_file_of_an_earlier_version_is_used_and_goes_on(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text('{"key": "a", "value": 1}\n')
    Records(path).append("b", value=2)
    assert Records(path).lines == {"a": {"key": "a", "value": 1}, "b": {"key": "b", "value": 2}}


def test_a_disk_that_fills_up_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "results.jsonl"
    Records(path).append("a", value=1)
    whole = path.read_bytes()
    code = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300)); " + WRITER
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, cwd=ROOT)
    assert "OSError: [Errno 27] File too large" in ran.stderr
    assert path.read_bytes() == whole


def test_a_killed_writer_loses_at_most_its_last_line(tmp_path):
    path = tmp_path / "results.jsonl"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline().strip() for _ in range(5)]
        writer.kill()
        said += writer.stdout.read().split()
    assert set(said) <= set(Records(path).lines)


@pytest.mark.parametrize("line", ["nonsense", "[1]", '{"value": 1}', '{"key": 3}', "[" * 100_000])
def test_damage_elsewhere_is_named(tmp_path, line):
    path = tmp_path / "results.jsonl"
    path.write_text(json.dumps({"key": "a"}) + f"\n{line}\n" + json.dumps({"key": "b"}) + "\n")
    with pytest.raises(InputError, match=r"results\.jsonl is damaged at line 2"):
        Records(path)


def test_results_of_other_weights_sizes_and_scenes_have_other_keys():
    one = Experiment("a", BenchmarkSettings())
    keys = {
        one.key(0, Variant("dgs")),
        one.key(1, Variant("dgs")),
        one.key(0, Variant("post")),
        replace(one, weights="b").key(0, Variant("dgs")),
        replace(one, settings=BenchmarkSettings(frames=4)).key(0, Variant("dgs")),
    }
    assert len(keys) == 5
    assert Experiment("a", BenchmarkSettings()).key(0, Variant("dgs")) in keys


def test_weights_have_a_name_that_any_change_changes():
    networks = tiny_networks()
    same = tiny_networks()
    assert isinstance(networks, SVDNetworks)
    assert isinstance(same, SVDNetworks)
    assert weights_digest(networks) == weights_digest(same)
    name = "conv_in.bias"
    changed = replace(networks, unet=networks.unet | {name: networks.unet[name].at[0].add(1e-6)})
    half = replace(networks, unet={name: array.astype(jnp.bfloat16) for name, array in networks.unet.items()})
    rescaled = replace(networks, vae_config=replace(networks.vae_config, scaling_factor=0.2))
    digests = {weights_digest(one) for one in (networks, changed, half, rescaled)}
    assert len(digests) == 4
