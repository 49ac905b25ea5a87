"""A tiny Wan, as a user calls it: the same commands as any other model's."""

from pathlib import Path

import pytest

from nvs_jax.cli import main
from nvs_jax.media import read_frames
from tests.models.wan.tiny import FRAMES, write_tiny_checkpoint
from tests.tiny import HEIGHT, WIDTH, write_scene


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("wan") / "checkpoint")


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    return write_scene(tmp_path)


def single(folder: Path, weights: Path, *more: str, out: str = "out") -> list[str]:
    return [
        *("single", str(folder / "photo.png"), "--depth", str(folder / "depth.npy"), "--depth-kind", "depth"),
        *("--weights", str(weights), "--out", str(folder / out), "--path.frames", str(FRAMES), "--steps", "3"),
        *("--path.radius", "6", "6", "--path.step-degrees", "2", "--camera.focal", "0.6", *more),
    ]


def test_a_photo(inputs: Path, weights: Path, capsys: pytest.CaptureFixture[str]):
    main(single(inputs, weights))
    assert read_frames(inputs / "out" / "frames").shape == (FRAMES, HEIGHT, WIDTH, 3)
    said = capsys.readouterr().err
    assert "are as they suit the family wan" in said
