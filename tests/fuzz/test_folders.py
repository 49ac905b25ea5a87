"""Places to write to that nobody wants replaced, and names no file can have."""

import io
from contextlib import redirect_stderr

import numpy as np
import pytest
from PIL import Image

from nvs_jax.cli import main


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with something precious, below which the command runs."""
    (tmp_path / "precious.txt").write_text("mine")
    (tmp_path / "work").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "work" / "photo.png")
    np.save(tmp_path / "work" / "depth.npy", np.full((64, 64), 60, np.float32))
    monkeypatch.chdir(tmp_path / "work")
    # Of "/" as an input no more need be read to see that it is none.
    monkeypatch.setattr("nvs_jax.runs.identity._MOST_FILES", 100)
    return tmp_path


def refused(*arguments: str) -> str:
    said = io.StringIO()
    with redirect_stderr(said), pytest.raises(SystemExit) as stop:
        main(list(arguments))
    assert stop.value.code == 2
    (line,) = [line for line in said.getvalue().splitlines() if " is read as " not in line]
    return line.removeprefix("nvs-jax: error: ")


@pytest.mark.parametrize("out", ["", ".", "..", "../work", "photo.png", "photo.png/out", "a" * 300])
@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_nothing_but_results_is_replaced(home, out, overwrite):
    refused("warp", "photo.png", "--depth", "depth.npy", "--depth-kind", "depth", "--out", out, *overwrite)
    assert sorted(path.name for path in home.rglob("*")) == ["depth.npy", "photo.png", "precious.txt", "work"]


NAMES = ["a" * 300, "a" * 5000, "", ".", "/", "\udcff", "photo.png/x", "/dev/null"]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:9]))
@pytest.mark.parametrize("option", ["photo", "--depth", "--preset", "--path.file", "--weights"])
def test_names_of_no_file(home, option, name):
    files = {"photo": "photo.png", "--depth": "depth.npy"} | {option: name}
    photo = files.pop("photo")
    more = [word for pair in files.items() for word in pair]
    kind = ["--path.kind", "file"] if option == "--path.file" else []
    command = "single" if option == "--weights" else "warp"
    refused(command, photo, *more, *kind, "--depth-kind", "depth", "--out", "out")
    assert sorted(path.name for path in home.rglob("*")) == ["depth.npy", "photo.png", "precious.txt", "work"]


@pytest.mark.parametrize("name", ["a" * 300, "", ".", "/", "photo.png"])
def test_names_of_no_weights(home, name):
    refused("convert", name, "out")
    refused("views", name, "--preview", "--out", "out")
    refused("video", name, "--preview", "--depth", name, "--depth-kind", "depth", "--out", "out")
    assert sorted(path.name for path in home.rglob("*")) == ["depth.npy", "photo.png", "precious.txt", "work"]
