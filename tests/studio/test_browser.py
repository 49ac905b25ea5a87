"""In a real browser: what the page promises, from the first look to the same frames by the command."""

import re
import subprocess
import sys

import numpy as np
import pytest

from nvs_jax.media import read_frames
from nvs_jax.media.cameras import read_poses
from tests.studio.browser import HERE, Visit, chromium, studio

pytestmark = pytest.mark.full
DONE = "is complete after"


def test_a_path_is_made_by_flying_rendered_played_saved_and_made_again_by_the_command(tmp_path):
    with studio(tmp_path, "--out", "result") as (_, address), chromium() as browser:
        visit = Visit(browser, address)
        seen = visit.picture("from where you are")
        visit.fly(60)
        visit.until_other("from where you are", seen)
        visit.enter("frames", 8)
        visit.press("fly to this frame")
        for right in (40, 40, 40):
            visit.press("add one here")
            visit.fly(right)
        visit.says("4 key frames")
        visit.enter("frame", 7)
        before = visit.picture("warp")
        visit.enter("key frame", 3)
        visit.fly(-50, 30)
        visit.press("move it here")
        visit.until_other("warp", before)
        visit.enter("file", "own.json")
        visit.press("save the path")
        visit.enter("steps", 4)
        visit.press("Render")
        visit.says(DONE)
        last = visit.picture("result beside the warp")
        visit.enter("frame", 0)
        first = visit.until_other("result beside the warp", last)
        visit.press("play")
        visit.until_other("result beside the warp", first)
        command = visit.command
        assert not visit.wrong
    assert read_poses(tmp_path / "own.json").shape == (8, 4, 4)
    command[command.index("--out") + 1] = "again"
    subprocess.run([sys.executable, "-m", "nvs_jax", *command], cwd=tmp_path, env=HERE, check=True, timeout=600)
    shown, made = (read_frames(tmp_path / name / "frames") for name in ("result", "again"))
    np.testing.assert_array_equal(shown, made)
    known, saved = read_poses(tmp_path / "again" / "poses.json"), read_poses(tmp_path / "own.json")
    np.testing.assert_allclose(known, saved, atol=1e-6)


def test_a_render_is_finished_though_the_browser_is_closed_and_a_second_one_is_refused(tmp_path):
    with studio(tmp_path, "--out", "result") as (_, address), chromium() as browser:
        visit, other = Visit(browser, address), Visit(browser, address)
        visit.enter("steps", 6)
        visit.press("Render")
        other.says(re.compile(r"(inputs|warp|encode|sample) \d+%"))
        other.press("Render")
        other.says("is being rendered: wait for it, or cancel it")
        visit.page.close()
        other.page.close()
        third = Visit(browser, address)
        third.says(DONE)
        third.enter("weights", "nowhere/at all")
        third.press("use these weights")
        third.says("nowhere/at all")
        assert not visit.wrong + other.wrong + third.wrong
    assert len(read_frames(tmp_path / "result" / "frames")) > 1
