"""Mistakes in the command's arguments."""

import os
import subprocess
import sys

import pytest

from nvs_jax.cli import main, parse
from nvs_jax.commands.usage import one_line, one_line_errors
from nvs_jax.disk import RESULT, published_folder
from nvs_jax.errors import InputError

WARP = ["warp", "photo.png", "--depth", "depth.npy", "--depth-kind", "depth", "--out", "out"]

# Arguments and what is said of them.
MISTAKES = [
    ([], "nothing to do: choose single, "),
    (["wrap"], "not understood: wrap; choose single, "),
    (["single"], "nvs-jax single needs PATH --out PATH (see"),
    ([*WARP[:-2], "--foo", "3"], "nvs-jax warp needs --out PATH; not understood: --foo 3 (see nvs-jax warp --help)"),
    ([*WARP, "--pth.frames", "3"], "not understood: --pth.frames, 3; perhaps you meant --path.frames (see"),
    ([*WARP, "--path.radius", "1"], "--path.radius needs 2 values (see nvs-jax warp --help)"),
    ([*WARP, "--path.radius", "1", "x"], "--path.radius cannot be '1', 'x' (see"),
    ([*WARP, "--path.frames", "x"], "--path.frames must be a whole number, not 'x' (see"),
    ([*WARP, "--schedule.steps", "x"], "--schedule.steps must be a whole number, not 'x' (see"),
    ([*WARP, "--schedule.steps", "0"], "schedule.steps must lie between 1 and 10000, not 0"),
    ([*WARP, "--png-scale", "much"], "--png-scale must be a number, not 'much' (see"),
    ([*WARP, "--trust.rule", "none"], "--trust.rule cannot be 'none': choose 'closed-form', 'search' (see"),
    ([*WARP, "--weights.rule", "search"], "--weights.rule is now called --trust.rule"),
    (["single", "--weights", "demo", "--weights.v1=3"], "--weights.v1 is now called --trust.v1"),
    (["video", "--weights.distance", "index"], "--weights.distance is now called --trust.distance"),
    (["views", "scene", "--weights.v2", "1"], "--weights.v2 is now called --trust.v2"),
    (["check", "demo", "--weights.v2", "1"], "not understood: --weights.v2, 1"),
    ([*WARP, "--depth-kind"], "--depth-kind needs a value (see"),
    ([*WARP, "--preset", "none"], "no preset is called 'none': choose fast"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=lambda value: str(value)[-30:])
def test_a_mistake_is_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"nvs-jax: error: {message}")
    assert said.err.count("\n") == 1


def test_a_terminal_without_unicode_reads_the_same():
    arguments = [*WARP[:-2], "--foo", "3"]
    said = [
        subprocess.run(
            [sys.executable, "-m", "nvs_jax", *arguments],
            capture_output=True,
            env=os.environ | {"PYTHONIOENCODING": encoding},
        ).stderr
        for encoding in ("ascii", "utf-8")
    ]
    assert said[0] == said[1]
    assert b"needs --out PATH" in said[0]


def test_help_is_left_alone(capsys):
    with pytest.raises(SystemExit) as stop:
        parse(["warp", "--help"])
    assert stop.value.code == 0
    assert "--path.radius" in capsys.readouterr().out


def test_help_ends_however_narrow_the_terminal_is(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "1")
    with pytest.raises(SystemExit) as stop:
        main(["single", "--help"])
    assert stop.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) < 1500
    assert os.environ["COLUMNS"] == "1"


def test_ctrl_c_says_whether_the_result_is_there(monkeypatch, capsys, tmp_path):
    def interrupted(job):
        if job.seed:
            with published_folder(job.out, RESULT, overwrite=False):
                pass
        raise KeyboardInterrupt

    monkeypatch.setattr("nvs_jax.cli.run_job", interrupted)
    for seed, said in ((0, "interrupted"), (1, f"interrupted; {tmp_path / 'out'} is complete"), (0, "interrupted")):
        with pytest.raises(SystemExit) as stop:
            main([*WARP[:-1], str(tmp_path / "out"), "--seed", str(seed)])
        assert stop.value.code == 130
        assert capsys.readouterr().err == f"nvs-jax: error: {said}\n"


def test_what_is_not_known_is_said_as_it_is():
    assert one_line("╭─ News ─╮\n│ Something else │\n│ went wrong. │\n╰────╯") == "Something else went wrong."
    with pytest.raises(InputError, match=r"^mine$"), one_line_errors():
        try:
            raise InputError("mine")
        except InputError:
            sys.exit(2)


def test_a_full_device_is_one_line(monkeypatch, capsys):
    def exhausted(job):
        raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 99 bytes")

    monkeypatch.setattr("nvs_jax.cli.run_job", exhausted)
    with pytest.raises(SystemExit) as stop:
        main(WARP)
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("nvs-jax: error: out of memory")


def test_our_own_bugs_are_not_hidden(monkeypatch):
    def broken(job):
        raise RuntimeError("a bug")

    monkeypatch.setattr("nvs_jax.cli.run_job", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        main(WARP)
