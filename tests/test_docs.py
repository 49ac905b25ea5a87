"""What the README and docs/ say works: their Python runs, their commands are understood, the notebook runs through."""

import re
import shlex
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from nvs_jax.cli import parse
from nvs_jax.media import write_frames, write_picture
from nvs_jax.models.lpips import VGG16
from tests.models.depth.folders import write_folder
from tests.models.lpips.files import write_lpips
from tests.pages import FENCE, PAGES, ROOT, blocks, program
from tests.tiny import FRAMES, HEIGHT, WIDTH, scene, write_tiny_folder

TOUR = ROOT / "docs" / "tour.ipynb"
# The pages name what a model of full size takes; here it is as small as the weights.
SMALLER = {
    "frames=25": f"frames={FRAMES}",
    "steps=25": "steps=2",
    "size=(192, 256)": f"size=({HEIGHT}, {WIDTH})",
    "range(40_000, 40_003)": "range(40_000, 40_002)",
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """Of a model whose videos are as short as the pages' are here."""
    return write_tiny_folder(tmp_path_factory.mktemp("svd"), frames=FRAMES)


@pytest.fixture(scope="module")
def lpips(tmp_path_factory) -> Path:
    """VGG16, as the pages' photo is too small for AlexNet."""
    return write_lpips(tmp_path_factory.mktemp("lpips") / "vgg.safetensors", VGG16)


@pytest.fixture
def workplace(tmp_path, weights, lpips, monkeypatch) -> Path:
    """A folder that holds what the pages name."""
    photo, depth = scene()
    shutil.copytree(weights, tmp_path / "svd-xt")
    write_picture(tmp_path / "photo.png", photo)
    write_picture(tmp_path / "photo.jpg", photo)
    np.save(tmp_path / "depth.npy", depth * 10)
    write_frames(tmp_path / "clip", np.stack([photo] * (FRAMES + 1)))
    np.save(tmp_path / "clip.npy", np.stack([depth * 10] * (FRAMES + 1)))
    (tmp_path / "estimate" / "maps").mkdir(parents=True)
    np.save(tmp_path / "estimate" / "maps" / "photo.npy", 1 / depth)
    write_folder(tmp_path / "depth-anything-folder")
    (tmp_path / "lpips-vgg.safetensors").hardlink_to(lpips)
    monkeypatch.chdir(tmp_path)
    return tmp_path


PYTHON = blocks("python")
# Of pages whose blocks build upon each other, as they say: one program.
for page in ("research.md",):
    PYTHON = {place: text for place, text in PYTHON.items() if not place.startswith(f"{page}-")} | {page: program(page)}


LONG = {"research.md"}


@pytest.mark.parametrize(
    "place", [pytest.param(place, marks=pytest.mark.full) if place in LONG else place for place in PYTHON]
)
def test_python_runs(place, workplace):
    code = PYTHON[place]
    for written, small in SMALLER.items():
        code = code.replace(written, small)
    exec(compile(code, place, "exec"), {})


COMMANDS = [
    line.split("#")[0].strip()
    for block in blocks("").values()
    for line in block.splitlines()
    if line.startswith("nvs-jax")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command):
    parse(shlex.split(command)[1:])


def test_options_named_in_the_text_exist(capsys):
    for job in ("single", "views", "convert", "batch", "evaluate", "plan", "studio", "benchmark"):
        with pytest.raises(SystemExit):
            parse([job, "--help"])
    known = capsys.readouterr().out
    text = "\n".join(FENCE.sub("", page.read_text(encoding="utf-8")) for page in PAGES)
    named = set(re.findall(r"`(--[a-z][a-z.-]*)", text)) - {"--parity"}
    assert len(named) > 5
    assert [option for option in sorted(named) if option not in known] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (page.parent / target).exists(), target


def test_the_tour_is_stored_without_outputs():
    tour = nbformat.read(TOUR, as_version=4)
    nbformat.validate(tour)
    assert not any(cell.get("outputs") for cell in tour.cells)
    assert TOUR.stat().st_size < 50_000


@pytest.mark.full
def test_the_tour_runs():
    tour = nbformat.read(TOUR, as_version=4)
    NotebookClient(tour, timeout=600, kernel_name="python3").execute()  # raises what a cell raises
    outputs = [output for cell in tour.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 7
