"""The sampler on a mesh gives one device's numbers, and its devices tell each other little.

One step is compared: rounding differs by the order of sums, and once it moves a value of the estimate across the
cutoff of a selection, later steps of a random network carry that on. With these seeds no value lies at a cutoff.
"""

import json
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nvs_jax import InputError
from nvs_jax.cli import main
from nvs_jax.media import read_frames
from nvs_jax.sharding import make_mesh
from tests.sharded import METHODS, run_processes, run_sharded, start_processes
from tests.tiny import FRAMES, write_scene, write_tiny_folder

# Of the largest value: sums in another order, in float32.
TOLERANCE = 1e-5

# The guided step, both of whose branches have half the devices. 25 frames divide by none of the meshes.
CASE = "small:dgs-25"
WAN = ("wan:2-whole", "wan:1-whole", "wan:2-divided")


def check_numbers(result: dict[str, Any]) -> None:
    """Those of one device."""
    assert result["difference"] <= TOLERANCE * result["largest"]


def check(result: dict[str, Any]) -> None:
    """One device's numbers, and nothing gathered that is larger than the latents, which are gathered."""
    check_numbers(result)
    gathered = [each["size"] for each in result["collectives"] if each["kind"] == "all-gather"]
    # Frames are gathered with the padding that makes them divide evenly.
    assert max(gathered, default=0) <= result["latent_bytes"] * 32 / 25


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return run_sharded(tmp_path_factory.mktemp("sharded") / "found.json", "2,4,1", CASE, "attention")


@pytest.fixture(scope="module")
def found_of_wan(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return run_sharded(tmp_path_factory.mktemp("sharded") / "found.json", "2,4,1", *WAN, "wan-vae")


def test_attention_by_loops_and_kernels_is_divided_too(found):
    attention = found["attention"]
    assert attention["chunked"] < 1e-6
    assert attention["splash"] < 1e-5  # as its own test
    assert attention["of_each_device"]
    assert attention["kernel"]


@pytest.mark.full
@pytest.mark.parametrize("case", WAN)
def test_a_transformer_divides_locations_and_heads_or_keys(found_of_wan, case):
    """Four heads divide among the four devices of a branch, not among the eight of a single video."""
    assert found_of_wan[case]["difference"] <= TOLERANCE
    kinds = {each["kind"] for each in found_of_wan[case]["collectives"]}
    assert ("all-to-all" in kinds) == case.startswith("wan:2")


@pytest.mark.full
def test_a_causal_codec_divides_columns(found_of_wan):
    assert max(found_of_wan["wan-vae"].values()) <= TOLERANCE, found_of_wan["wan-vae"]


@pytest.mark.full
def test_a_layer_gathers_its_weights_when_its_turn_comes(found_of_wan):
    assert found_of_wan["wan:2-whole"]["divided"] == 0
    assert found_of_wan["wan:2-divided"]["divided"] > 50
    # 4 layers of 2 and of 1 branch: gathered a layer at a time, in a loop, never all of them.
    largest_layer = 4 * 48 * 48
    gathered = [each["size"] for each in found_of_wan["wan:2-divided"]["collectives"] if each["kind"] == "all-gather"]
    assert max(gathered) == largest_layer


def test_eight_devices_give_the_numbers_of_one(found):
    check(found[CASE])


def test_a_layer_through_time_exchanges_frames_for_locations_and_back(found):
    # Both branches of the guided estimate have four devices each.
    kinds = [each["kind"] for each in found[CASE]["collectives"] if each["devices"] == 4]
    # Eight residual blocks and four pairs of transformer blocks; frames are gathered once, at the end.
    assert kinds.count("all-to-all") == 2 * (8 + 4)
    assert kinds.count("all-gather") == 1


@pytest.mark.full
@pytest.mark.parametrize("frames", [14, 25])
@pytest.mark.parametrize(
    ("network", "mesh"),
    [("parity", "2,4,1"), *(("small", mesh) for mesh in ("1,1,1", "1,2,1", "2,2,1", "1,8,1", "1,1,8", "2,2,2"))],
)
def test_any_number_of_devices_gives_the_numbers_of_one(tmp_path, network, mesh, frames):
    cases = [f"{network}:{method}-{frames}" for method in METHODS]
    found = run_sharded(tmp_path / "out.json", mesh, *cases)
    # Attention within a frame needs all of it: where its rows are divided, they are gathered.
    whole_frames = mesh.endswith(",1")
    for case in cases:
        (check if whole_frames else check_numbers)(found[case])


@pytest.mark.full
def test_several_processes_give_the_numbers_of_one(tmp_path):
    case = "small:dgs-25"
    one, two, four = (
        run_sharded(tmp_path / f"{processes}.json", "2,4,1", case, processes=processes)[case] for processes in (1, 2, 4)
    )
    check(one)
    assert two["x"] == one["x"]
    assert four["x"] == one["x"]


@pytest.fixture(scope="module")
def render(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command for a render of a tiny model, without its --out."""
    folder = tmp_path_factory.mktemp("render")
    weights = write_tiny_folder(write_scene(folder), frames=FRAMES)
    return [
        *("single", str(folder / "photo.png"), "--depth", str(folder / "depth.npy"), "--depth-kind", "depth"),
        *("--weights", str(weights), "--path.radius", "6", "6", "--path.step-degrees", "4", "--camera.focal", "0.6"),
        *("--steps", "2"),
    ]


def frames_of(out: Path) -> np.ndarray:
    return read_frames(out / "frames")


@pytest.mark.full
def test_a_render_on_a_mesh_in_one_process_and_in_two(tmp_path, render):
    main([*render, "--out", str(tmp_path / "alone")])
    mesh = ["--mesh.branches", "2", "--mesh.frames", "4", "--mesh.hosts"]
    run_processes(["nvs_jax", *render, *mesh, "--out", str(tmp_path / "one")])
    run_processes(["nvs_jax", *render, *mesh, "--out", str(tmp_path / "two")], processes=2)
    alone, one, two = (frames_of(tmp_path / name) for name in ("alone", "one", "two"))
    assert np.abs(one - alone).max() <= 1 / 255 + 1e-6  # rounding to eight bits
    np.testing.assert_array_equal(two, one)
    record = json.loads((tmp_path / "two" / "run.json").read_text())
    assert record["job"]["mesh"] == {"branches": 2, "frames": 4, "rows": 1, "weights": False, "hosts": True}


@pytest.mark.full
@pytest.mark.parametrize(
    ("processes", "number", "codes"),
    [
        (2, signal.SIGTERM, (75, 75)),
        (4, signal.SIGTERM, (75, 75, 75, 75)),
        (4, signal.SIGKILL, (69, -signal.SIGKILL, 69, 69)),
    ],
)
def test_what_happens_to_one_process_and_that_all_go_on_with_the_same_bits(processes, number, codes, tmp_path, render):
    mesh = ["--mesh.branches", "2", "--mesh.frames", "4", "--mesh.hosts", "--steps", "20", "--resume"]
    command = ["nvs_jax", *render, *mesh, "--out"]
    run_processes([*command, str(tmp_path / "whole")], processes)
    started = start_processes([*command, str(tmp_path / "out")], processes)
    while not list((tmp_path / ".out.run" / "legs" / "000").glob("[0-9]*")):
        assert started[1].poll() is None
        time.sleep(0.1)
    since = time.monotonic()
    started[1].send_signal(number)
    said = [process.communicate(timeout=300)[0] for process in started]
    assert tuple(process.returncode for process in started) == codes, said
    assert time.monotonic() - since < 90  # seconds; they wait for 30 for a sign of life
    line = "process 1 of 4 is missing" if number == signal.SIGKILL else f"process 1 of {processes} was told to stop"
    assert all(line in text for index, text in enumerate(said) if index != 1)
    assert not any("stack trace" in text for text in said)
    for _ in range(3):  # as a scheduler does; on a busy machine Gloo gives up when processes are half a minute apart
        started = start_processes([*command, str(tmp_path / "out")], processes)
        said = [process.communicate(timeout=3000)[0] for process in started]
        if not any(process.returncode for process in started):
            break
    assert [process.returncode for process in started] == [0] * processes, said
    np.testing.assert_array_equal(frames_of(tmp_path / "out"), frames_of(tmp_path / "whole"))


def test_more_devices_than_there_are():
    with pytest.raises(InputError, match="needs 4096 devices"):
        make_mesh(frames=4096)
    with pytest.raises(InputError, match="numbers from 1"):
        make_mesh(frames=0)
