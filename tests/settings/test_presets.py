from pathlib import Path

import pytest
import yaml

from nvs_jax.cli import parse
from nvs_jax.commands.batch_file import read_batch
from nvs_jax.embedded import EMBEDDED_MODEL
from nvs_jax.errors import InputError
from nvs_jax.settings.jobs import RenderJob
from nvs_jax.settings.presets import load_settings, own_preset, own_presets, read_yaml, settings_for

GIVEN = ["single", "photo.png", "--out", "out"]


@pytest.fixture
def weights(tmp_path) -> Path:
    """A folder of weights that brings settings."""
    (tmp_path / "svd").mkdir()
    (tmp_path / "svd" / "preset.yaml").write_text("{schedule: {steps: 9}, trust: {v2: 3.0}}")
    return tmp_path / "svd"


def settings(*arguments: str):
    job = parse(arguments)
    assert isinstance(job, RenderJob)
    return job.settings


def test_weights_bring_their_own_defaults(weights):
    plain = settings(*GIVEN)
    assert plain == load_settings("fast")
    for arguments in (["--weights", str(weights)], [f"--weights={weights}"]):
        own = settings(*GIVEN, *arguments)
        assert (own.schedule.steps, own.trust.v2, own.path) == (9, 3.0, plain.path)


def test_options_win_over_what_weights_bring_and_a_preset_leaves_it_out(weights):
    assert settings(*GIVEN, "--weights", str(weights), "--trust.v2", "5").trust.v2 == 5
    assert settings(*GIVEN, "--weights", str(weights), "--preset", "fast") == load_settings("fast")


def test_weights_may_bring_what_measured_best_with_them(weights):
    with pytest.raises(InputError, match=r"--preset best is what measured best .* there is no best\.yaml in .*svd"):
        settings(*GIVEN, "--weights", str(weights), "--preset", "best")
    with pytest.raises(InputError, match=r"--preset best .* no weights are named"):
        settings(*GIVEN, "--preset", "best")
    (weights / "best.yaml").write_text("{solver: {kind: lcm}, trust: {v2: 4.0}}")
    best = settings(*GIVEN, "--weights", str(weights), "--preset", "best", "--path.frames", "5")
    assert (best.schedule.steps, best.trust.v2, best.solver.kind, best.path.frames) == (9, 4.0, "lcm", 5)
    assert settings(*GIVEN, "--weights", str(weights)).solver.kind == "euler"
    assert [path.name for path in own_presets(weights)] == ["preset.yaml", "best.yaml"]
    (weights / "best.yaml").write_text("{solver: {kimd: lcm}}")
    with pytest.raises(InputError, match=r"svd/best\.yaml: .*kimd"):
        settings_for(weights, "best")


def test_what_measured_best_with_the_demo_is_four_evaluations():
    suited, best = settings_for("demo"), settings_for("demo", "best")
    assert (best.solver.kind, best.schedule.steps) == ("lcm", 4)
    assert (best.trust, best.guidance.method, best.picture) == (suited.trust, suited.guidance.method, suited.picture)
    assert suited.resample.times > 0 == best.resample.times


def test_jobs_of_a_batch_take_what_their_weights_bring(weights):
    jobs = [{"photo": "a.png", "weights": "svd", "settings": {"trust": {"v2": 7.0}}}, {"photo": "a.png"}]
    (weights.parent / "jobs.yaml").write_text(yaml.safe_dump({"jobs": jobs}))
    own, plain = (job.settings for job in read_batch(weights.parent / "jobs.yaml", Path("out")).values())
    assert (own.schedule.steps, own.trust.v2) == (9, 7.0)
    assert plain == load_settings("fast")


def test_a_mistake_in_what_weights_bring_names_the_file(weights):
    (weights / "preset.yaml").write_text("{schedule: {stebs: 9}}")
    with pytest.raises(InputError, match=r"svd/preset\.yaml: .*stebs"):
        settings_for(weights)


def test_former_names_are_called_by_their_present_ones(weights):
    (weights / "preset.yaml").write_text("weights: {v2: 3.0}")
    with pytest.raises(InputError, match=r"svd/preset\.yaml: weights is now called trust$"):
        settings_for(weights)
    with pytest.raises(InputError, match=r"preset\.yaml: weights is now called trust$"):
        load_settings(str(weights / "preset.yaml"))
    with pytest.raises(InputError, match=r"settings: conditioning.motion_bucket is now called svd.motion_bucket$"):
        settings_for(weights, "fast", changes={"conditioning": {"motion_bucket": 30}})
    with pytest.raises(InputError, match=r"^--conditioning.motion-bucket is now called --svd.motion-bucket$"):
        parse([*GIVEN, "--conditioning.motion-bucket", "30"])
    assert settings(*GIVEN, "--svd.motion-bucket", "30").svd.motion_bucket == 30


def test_weights_without_a_preset_bring_nothing(tmp_path):
    assert own_preset(None) is own_preset(tmp_path) is own_preset("OWNER/NAME") is None
    assert own_preset("demo") == EMBEDDED_MODEL / "preset.yaml"


def test_a_name_given_twice_is_refused_with_its_lines(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("path:\n  frames: 3\nschedule: {}\npath:\n  radius: [1, 2]\n")
    with pytest.raises(InputError, match=r"mine\.yaml .*: path is given twice, in lines 1 and 4"):
        read_yaml(path)
    path.write_text("{path: {frames: 3, frames: 4}}")
    with pytest.raises(InputError, match="frames is given twice, in lines 1 and 1"):
        read_yaml(path)
