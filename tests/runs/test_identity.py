from dataclasses import replace
from pathlib import Path

from nvs_jax.runs.identity import digest, identity, input_paths
from nvs_jax.settings import RenderSettings
from nvs_jax.settings.jobs import ViewsJob


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
