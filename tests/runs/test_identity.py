from dataclasses import replace
from pathlib import Path

from nvs_jax.runs.identity import difference, digest, identity, input_paths
from nvs_jax.settings import GuidanceSettings, RenderSettings, RestartSettings, SVDSettings, WanSettings
from nvs_jax.settings.former import RECORDED, is_added
from nvs_jax.settings.jobs import ViewsJob
from tests.models.toy_video import Settings, ToySettings


def test_a_result_among_the_pictures_it_is_made_of_does_not_change_them(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_text("a picture")
    job = ViewsJob(scene=tmp_path, out=tmp_path / "out")
    before = identity(job, RenderSettings())
    for name in ("out", ".out.run"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "b.png").write_text("another")
    assert identity(job, RenderSettings()) == before
    assert identity(replace(job, out=tmp_path / "elsewhere"), RenderSettings()) != before
    assert digest(tmp_path, tmp_path / "images" / ".." / "out") == before["scene"]


def test_what_a_job_reads_and_not_what_it_writes():
    job = ViewsJob(scene=Path("scene"), depth=Path("auto"), out=Path("out"), weights="svd", preset="mine.yaml")
    known = {str(path) for path in input_paths(job, RenderSettings())}
    assert known == {"scene", "svd", "mine.yaml", job.depth_weights}


def test_runs_of_before_a_setting_was_renamed_go_on():
    """An identity calls it as it was called, a message as it is called."""
    job = ViewsJob(scene=Path("scene"), out=Path("out"))
    known = identity(job, RenderSettings())
    assert {name: known[name] for name in RECORDED} == {
        "conditioning.motion_bucket": 127,
        "conditioning.noise_aug": 0.02,
        "conditioning.mixed_context": False,
        "conditioning.target_scale": None,
    }
    assert not known.keys() & set(RECORDED.values())
    other = identity(job, RenderSettings(svd=SVDSettings(noise_aug=0.0)))
    assert difference(known, other) == "svd.noise_aug 0.02, not 0.0"


def test_a_new_family_leaves_the_runs_of_all_others_as_they_are():
    job = ViewsJob(scene=Path("scene"), out=Path("out"))
    assert identity(job, Settings()) == identity(job, RenderSettings())
    assert not [name for name in identity(job, RenderSettings()) if name.startswith("wan.")]
    dark = identity(job, Settings(toy=ToySettings(exposure=0.5)))
    assert difference(identity(job, Settings()), dark) == "another toy.exposure"


def test_a_prompt_is_part_of_what_decides_a_result():
    job = ViewsJob(scene=Path("scene"), out=Path("out"))
    first, second = (identity(job, RenderSettings(wan=WanSettings(prompt=text))) for text in ("a barn", "a house"))
    assert difference(first, second) == "wan.prompt a barn, not a house"
    assert difference(identity(job, RenderSettings()), first) == "another wan.prompt"


def test_parts_that_are_off_leave_the_runs_without_them_as_they_are():
    """Their settings are younger than the first runs."""
    job = ViewsJob(scene=Path("scene"), out=Path("out"))
    known = identity(job, RenderSettings())
    assert [name for name in known if is_added(name)] == []
    assert not known.keys() & {"path.zoom", "camera.keep_units", "mesh.weights"}
    assert {"guidance.hole_sigma", "schedule.steps", "solver.kind"} <= known.keys()
    on = identity(job, RenderSettings(restart=RestartSettings(2), guidance=GuidanceSettings(hole_edge=1.0)))
    assert {name: on[name] for name in on.keys() - known.keys()} == {"restart.times": 2, "guidance.hole_edge": 1.0}
    assert difference(known, on) == "another guidance.hole_edge"
