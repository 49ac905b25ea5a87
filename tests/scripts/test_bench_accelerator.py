import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nvs_jax.errors import InputError
from scripts.accelerator.page import WRITER
from scripts.accelerator.record import begin
from scripts.accelerator.rows import Entry
from scripts.accelerator.stages import chosen
from scripts.bench_accelerator import Options, main
from scripts.documentation import END
from scripts.documentation import begin as marker

ROOT = Path(__file__).parents[2]
WHOLE = "(whole stage)"


def page_in(folder: Path) -> Path:
    page = folder / "page.md"
    page.write_text(f"above\n\n{marker(WRITER)}\n\nold\n\n{END}\n\nbelow\n")
    return page


@pytest.mark.full
def test_all_of_jaxs_side_at_toy_size(tmp_path):
    page = page_in(tmp_path)
    command = [
        sys.executable,
        "scripts/bench_accelerator.py",
        "--size",
        "toy",
        "--side",
        "jax",
        "--out",
        str(tmp_path / "out"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    ran = subprocess.run(
        [*command, "--page", str(page)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    stored = json.loads((tmp_path / "out" / "results.json").read_text())
    assert stored["state"] == "finished"
    rows = {(row["stage"], row["what"]): row for row in stored["rows"]}
    assert [stage for stage, what in rows if what == WHOLE] == [stage.name for stage in chosen("jax")]
    for stage, what, figure in (
        ("ceilings", "copy", "TB/s"),
        ("numerics", "svd-tiny UNet, float32", "difference"),
        ("blocks", "convolution through time, 2-D", "ms"),
        ("dgs", "dgs, a step", "TFLOP/s"),
        ("profile", "all kernels of a step", "ms"),
        ("vae", "decoding in bfloat16 against float32", "PSNR, dB"),
        ("end-to-end", "render of 10 steps, second", "s"),
        ("post", "post, a step", "ms"),
        ("modes", "a photo, DGS, default", "PSNR, dB"),
        ("wan-t2v", "wan2_1_t2v_1_3b, 5 frames of 64x64, a step of DGS", "ms"),
        ("wan-vae", "wan2_1_t2v_1_3b, 5 frames of 64x64, decode, bfloat16", "ms"),
        ("wan-i2v", "wan2_1_i2v_14b_480p, 5 frames of 64x64, a step of DGS", "TFLOP/s"),
        ("dgs-default", "dgs, a step", "ms"),
    ):
        found = rows[stage, what]["figures"][figure]
        # A CPU may well give what a CPU gave.
        assert found >= 0 if figure == "difference" else found > 0, (stage, what)
    for row in rows.values():
        assert row["environment"]["card"].endswith("CPU")
        assert row["environment"]["jax"]
    assert "needs an Nvidia GPU" in rows["blocks", "temporal attention, cudnn"]["note"]
    # XLA has no flags of ours on a CPU, so that both are one program.
    assert rows["dgs-default", "dgs, program of 2 steps"]["note"] == "from the cache"
    # A step of Post has one more evaluation, of one branch, than DGS's two.
    work = {method: rows[method, f"{method}, a step"]["figures"]["TFLOP"] for method in ("dgs", "post")}
    assert work["post"] == pytest.approx(1.5 * work["dgs"], rel=0.01)
    written = page.read_text()
    assert written.startswith(f"above\n\n{marker(WRITER)}\n\n1. ")
    assert written.endswith(f"{END}\n\nbelow\n")
    assert "CPU; toy size" in written
    assert "old" not in written.split("|")


def stored_run(folder: Path, what: str, *, failed: bool = False) -> Path:
    environment = {"card": "H100", "jax": "0.11.2"}
    record = begin(folder)
    record.add([Entry("dgs", "jax", "full", "fast", environment, what, {"ms": 403.0}, failed=failed)])
    record.finish()
    return folder


def test_two_runs_become_one_page(tmp_path, capsys):
    page = page_in(tmp_path)
    runs = stored_run(tmp_path / "a", "a step"), stored_run(tmp_path / "b", "another", failed=True)
    assert main(Options(merge=runs, out=tmp_path / "both", page=page)) == 1
    assert "| dgs | 1 | a step | ms 403 |" in page.read_text()
    assert "| dgs | 1 | another | ms 403 | **failed:**" in page.read_text()
    assert (tmp_path / "both" / "results.md").read_text() == capsys.readouterr().out
    assert main(Options(merge=(runs[0],), out=runs[0])) == 0


def test_a_page_without_markers_is_refused_before_anything_runs(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("no markers")
    with pytest.raises(InputError, match="markers"):
        main(Options(out=tmp_path / "out", page=page))
    assert not (tmp_path / "out").exists()


def test_what_a_user_gets_wrong_is_said_in_a_line(tmp_path):
    command = [sys.executable, "-m", "scripts.bench_accelerator", "--side", "torch", "--stages", "dgs"]
    ran = subprocess.run([*command, "--out", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    theirs = "torch-eager, torch-compile, torch-wan-t2v, torch-wan-vae"
    assert ran.stderr == f"error: there is no stage dgs on this side: choose from {theirs}\n"
