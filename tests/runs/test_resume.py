"""The sampler's states on disk, with a denoiser that costs nothing."""

import errno
import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import Euler, Solver, karras_sigmas, make_solver
from nvs_jax.diffusion.assemble import make_guidance, make_trust
from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.diffusion.problem import Problem, solve, solve_and_record
from nvs_jax.disk import RESULT, work_on
from nvs_jax.errors import InputError
from nvs_jax.runs.identity import short
from nvs_jax.runs.resume import Leg, is_complete, open_run, tidy
from nvs_jax.runs.stopping import Stopped, StopRequest
from nvs_jax.settings import GuidanceSettings, SolverSettings, TrustSettings, registry
from tests.diffusion.toys import GaussianDenoiser

SHAPE = (1, 3, 4, 4, 2)
STEPS = 10  # in segments of two
EULER: Solver = Euler()


def problem(solver: Solver = EULER):
    sigmas = karras_sigmas(STEPS, 20.0, 0.01)
    views = WarpedViews(target=jnp.ones(SHAPE), hole=jnp.zeros(SHAPE[:-1], bool))
    return Problem(
        denoiser=GaussianDenoiser(jnp.zeros(SHAPE)),
        guidance=make_guidance(GuidanceSettings(), views, 1),
        trust=make_trust(TrustSettings(), sigmas, np.arange(3.0), 80.0),
        noise=jax.random.normal(jax.random.key(0), SHAPE),
        sigmas=sigmas,
        solver=solver,
        key=jax.random.key(7),
    )


class StopAfter(StopRequest):
    """Wants to stop after so many states."""

    def __init__(self, states):
        super().__init__()
        self.left = states

    def obey(self, where):
        self.left -= 1
        self.wanted = self.left == 0
        super().obey(where)


def leg(folder, states=0):
    return Leg(folder, StopAfter(states), "leg 1 of 1", lambda: None)


def interrupt(folder, states, solver: Solver = EULER):
    with pytest.raises(Stopped, match=f"after step {2 * states} of leg 1 of 1"):
        solve(problem(solver), states=leg(folder, states))


@pytest.mark.parametrize("name", registry.solvers())
def test_an_interrupted_run_gives_the_same_bits(name, tmp_path):
    solver = make_solver(SolverSettings(name), STEPS)
    interrupt(tmp_path, 2, solver)
    np.testing.assert_array_equal(solve(problem(solver), states=leg(tmp_path)), solve(problem(solver)))


def test_every_interruption_gives_the_same_bits_and_a_finished_leg_none_of_its_steps(tmp_path):
    expected, told = solve(problem()), []
    for states in (1, 1, 1, 1, 1):
        with pytest.raises(Stopped):
            solve(problem(), states=leg(tmp_path, states))
    result = solve(problem(), report=lambda *what: told.append(what), states=leg(tmp_path))
    np.testing.assert_array_equal(result, expected)
    assert told == [("sample", STEPS, STEPS)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000008", "000010"]


def norms(info):
    return {"x": jnp.abs(info.x).max(), "w": info.w}


def test_what_is_recorded_goes_on_with_the_run(tmp_path):
    latents, seen = solve_and_record(problem(), norms)
    with pytest.raises(Stopped):
        solve_and_record(problem(), norms, states=leg(tmp_path, 2))
    again, resumed = solve_and_record(problem(), norms, states=leg(tmp_path))
    np.testing.assert_array_equal(again, latents)
    assert (seen["x"] > 0).all()
    jax.tree.map(np.testing.assert_array_equal, resumed, seen)


def test_several_videos_go_on_with_keys_of_their_own(tmp_path):
    several = replace(
        problem(make_solver(SolverSettings("churn"), STEPS)),
        noise=jax.random.normal(jax.random.key(0), (2, *SHAPE[1:])),
        key=jax.random.split(jax.random.key(7), 2),
    )
    with pytest.raises(Stopped):
        solve(several, states=leg(tmp_path, 2))
    np.testing.assert_array_equal(solve(several, states=leg(tmp_path)), solve(several))


def test_a_run_that_recorded_nothing_begins_again_where_something_is_recorded(tmp_path, capsys):
    interrupt(tmp_path, 2)
    _, seen = solve_and_record(problem(), norms, states=leg(tmp_path))
    jax.tree.map(np.testing.assert_array_equal, seen, solve_and_record(problem(), norms)[1])
    assert "of another format" in capsys.readouterr().err


def torn(path):
    path.write_bytes(path.read_bytes()[:-1])


def flipped(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def made_a_folder(path):
    """As a state was in earlier versions."""
    path.unlink()
    (path / "carry").mkdir(parents=True)


@pytest.mark.parametrize("damage", [torn, flipped, made_a_folder, lambda path: path.write_bytes(b"")])
def test_a_damaged_state_costs_a_segment_and_no_bit(damage, tmp_path, capsys):
    interrupt(tmp_path, 3)
    damage(tmp_path / "000006")
    told = []
    result = solve(problem(), report=lambda *what: told.append(what[1]), states=leg(tmp_path))
    np.testing.assert_array_equal(result, solve(problem()))
    assert told == [4, 6, 8, 10]
    said = "the state after step 6 of leg 1 of 1 is damaged, or of another format, and left out"
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000008", "000010"]


def test_without_a_whole_state_a_leg_begins_again(tmp_path):
    interrupt(tmp_path, 2)
    for state in tmp_path.iterdir():
        torn(state)
    np.testing.assert_array_equal(solve(problem(), states=leg(tmp_path)), solve(problem()))


@pytest.mark.parametrize("fails", ["pathlib.Path.write_bytes", "nvs_jax.disk.atomic.sync_file"])
def test_a_full_disk_leaves_the_earlier_states(fails, tmp_path, monkeypatch):
    expected = solve(problem())
    interrupt(tmp_path, 2)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(fails, full)
        with pytest.raises(OSError, match="No space left") as failure:
            solve(problem(), states=leg(tmp_path))
    assert failure.value.filename == str(tmp_path / "000006")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000002", "000004"]
    np.testing.assert_array_equal(solve(problem(), states=leg(tmp_path)), expected)


def work(out, known, *, interrupt=False, **options):
    """Work on `out`; what it gave."""
    options = {"resume": False, "overwrite": False, "stop": StopAfter(2 if interrupt else 0)} | options
    with open_run(out, known, **options) as run:
        latents = solve(problem(), states=run.leg(0, 1))
        (run.result / "run.json").write_text(json.dumps({"identity": "whatever"}))
        np.save(run.result / "latents.npy", np.asarray(latents))


@pytest.fixture
def interrupted(tmp_path):
    with pytest.raises(Stopped):
        work(tmp_path / "out", {"seed": 1}, interrupt=True)
    return tmp_path / "out"


def beside(out):
    return sorted(path.name for path in out.parent.iterdir())


def test_what_an_interrupted_run_left_is_explained_then_used_then_gone(interrupted):
    with pytest.raises(InputError, match="4 steps of leg 1 are there: --resume goes on, --overwrite begins anew"):
        work(interrupted, {"seed": 1})
    work(interrupted, {"seed": 1}, resume=True)
    np.testing.assert_array_equal(np.load(interrupted / "latents.npy"), solve(problem()))
    assert beside(interrupted) == ["out"]


def test_another_setting_is_refused_by_its_name(interrupted):
    with pytest.raises(InputError, match="had seed 1, not 2"):
        work(interrupted, {"seed": 2}, resume=True)
    work(interrupted, {"seed": 2}, overwrite=True)
    assert beside(interrupted) == ["out"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"[" * 100_000, None])
def test_a_damaged_manifest_is_refused(content, interrupted):
    manifest = interrupted.with_name(".out.run") / "run.json"
    manifest.unlink()
    if content is not None:
        manifest.write_bytes(content)
    with pytest.raises(InputError, match=r"run\.json is damaged"):
        work(interrupted, {"seed": 1}, resume=True)


def test_two_processes_do_not_work_on_one_result(tmp_path):
    out, known = tmp_path / "out", {"seed": 1}
    with open_run(out, known, resume=False, overwrite=False, stop=StopRequest()) as run:
        with pytest.raises(InputError, match=r"process \d+ is working on .*out"):
            work(out, known, resume=True)
        (run.result / "run.json").touch()
    assert beside(out) == ["out"]


def test_a_failure_before_the_first_state_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), open_run(tmp_path / "out", {}, resume=False, overwrite=False, stop=StopRequest()):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_a_failure_after_it_says_what_is_kept(tmp_path, capsys):
    with (
        pytest.raises(MemoryError),
        open_run(tmp_path / "out", {}, resume=False, overwrite=False, stop=StopRequest()) as run,
    ):
        solve(problem(), states=run.leg(0, 1))
        raise MemoryError
    assert "10 steps of leg 1 are kept: --resume goes on" in capsys.readouterr().err


def test_a_replacement_cut_in_two_is_undone(tmp_path):
    out = tmp_path / "out"
    work(out, {"seed": 1})
    with work_on(out, RESULT) as replacing:
        out.rename(replacing.former)
    assert beside(out) == [".out.run"]
    with pytest.raises(InputError, match="not empty"):
        work(out, {"seed": 2})
    assert (out / "latents.npy").exists()
    assert beside(out) == ["out"]


def test_a_result_that_names_no_job_is_not_complete(tmp_path):
    assert not is_complete(tmp_path, {})
    for content in ("", "[]", "3", '{"identity": 3}'):
        (tmp_path / "run.json").write_text(content)
        assert not is_complete(tmp_path, {})


@pytest.mark.parametrize("damage", [torn, lambda path: path.unlink()])
def test_a_result_that_has_lost_a_file_is_not_complete(damage, tmp_path):
    with open_run(tmp_path / "out", {}, resume=False, overwrite=False, stop=StopRequest()) as run:
        (run.result / "video.mp4").write_text("a film")
        (run.result / "run.json").write_text(json.dumps({"identity": short({})}))
    assert is_complete(tmp_path / "out", {})
    assert not is_complete(tmp_path / "out", {"seed": 2})
    damage(tmp_path / "out" / "video.mp4")
    with pytest.raises(InputError, match=r"complete but for video\.mp4, which is gone or was changed since"):
        is_complete(tmp_path / "out", {})


def test_a_folder_of_the_users_with_the_name_of_a_run_is_left_alone(tmp_path):
    (tmp_path / ".out.run" / "legs" / "000" / "000010").mkdir(parents=True)
    (tmp_path / ".out.run" / "run.json").write_text("{}")
    for resume, overwrite in ((False, False), (True, False), (False, True)):
        with pytest.raises(InputError, match=r"\.out\.run is in the way and not of this program"):
            work(tmp_path / "out", {"seed": 1}, resume=resume, overwrite=overwrite)
    tidy(tmp_path / "out")
    assert (tmp_path / ".out.run" / "legs" / "000" / "000010").is_dir()
