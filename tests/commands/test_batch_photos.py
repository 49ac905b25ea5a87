"""A job for each photo."""

from pathlib import Path

import pytest
import yaml

from nvs_jax.commands.batch_file import read_batch
from nvs_jax.errors import InputError
from nvs_jax.settings.jobs import AUTO, SingleJob

OUT = Path("results")


def photos(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def options(path: Path, **values: object) -> Path:
    path.write_text(yaml.safe_dump(values))
    return path


def test_each_photo_of_a_folder_becomes_a_job_named_after_it(tmp_path):
    folder = photos(tmp_path / "photos", "b_10.jpg", "b_9.JPG", "a.png", "._a.png", ".hidden.png", "notes.txt")
    defaults = options(tmp_path / "all.yaml", weights="OWNER/NAME", steps=9, settings={"path": {"frames": 5}})
    jobs = read_batch(folder, OUT, defaults)
    assert list(jobs) == ["a", "b_9", "b_10"]
    job = jobs["b_9"]
    assert isinstance(job, SingleJob)
    assert (job.photo, job.out, job.depth) == (folder / "b_9.JPG", OUT / "b_9", AUTO)
    assert (job.weights, job.steps, job.settings.path.frames, job.resume) == ("OWNER/NAME", 9, 5, True)


def test_a_pattern_finds_photos_in_several_folders(tmp_path, monkeypatch):
    photos(tmp_path / "one", "a.jpg", "a.npy")
    photos(tmp_path / "two", "b.jpg")
    monkeypatch.chdir(tmp_path)
    jobs = read_batch(Path("*/*"), OUT, options(tmp_path / "all.yaml", weights="demo"))
    assert [job.photo for job in jobs.values() if isinstance(job, SingleJob)] == [
        tmp_path / "one" / "a.jpg",
        tmp_path / "two" / "b.jpg",
    ]


def test_defaults_may_lie_in_the_folder_and_files_in_them_count_from_theirs(tmp_path):
    folder = photos(tmp_path / "photos", "a.jpg", "b.jpg")
    photos(tmp_path / "photos" / "maps", "b.png", "a.npy", "c.npy")
    options(folder / "defaults.yaml", weights="demo", depth="maps", depth_kind="depth")
    jobs = read_batch(folder, OUT)
    assert {name: getattr(job, "depth", None) for name, job in jobs.items()} == {
        "a": folder / "maps" / "a.npy",
        "b": folder / "maps" / "b.png",
    }


def test_a_file_in_the_folder_that_is_a_job_makes_it_a_folder_of_jobs(tmp_path):
    folder = photos(tmp_path / "jobs", "a.jpg", "b.jpg")
    options(folder / "only.yaml", photo="a.jpg", weights="demo")
    assert list(read_batch(folder, OUT)) == ["only"]


def test_pictures_that_cannot_be_read_are_named_and_left_out(tmp_path, capsys):
    folder = photos(tmp_path, "a.jpg", "b.heic", "c.HEIC")
    assert list(read_batch(folder, OUT)) == ["a"]
    assert "2 HEIC pictures are left out (b.heic, ...)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "values", "message"),
    [
        ((), {}, "no photos are found there"),
        (("a.jpg", "a.png"), {}, "two photos are called a"),
        (("a.jpg",), {"kind": "video"}, "photos are of kind single, not video"),
        (("a.jpg",), {"photo": "b.jpg"}, "photo cannot be the same for all photos"),
        (("a.jpg",), {"wieghts": "demo"}, "job a: no option is called 'wieghts'; perhaps weights"),
    ],
)
def test_mistakes(names, values, message, tmp_path):
    folder = photos(tmp_path / "photos", *names)
    with pytest.raises(InputError, match=message):
        read_batch(folder, OUT, options(tmp_path / "all.yaml", **values))


def test_a_photo_without_its_depth_is_named(tmp_path):
    folder = photos(tmp_path / "photos", "a.jpg", "b.jpg")
    photos(tmp_path / "maps", "a.npy")
    with pytest.raises(InputError, match=r"maps has no depth for b\.jpg: it would be called b\.npy"):
        read_batch(folder, OUT, options(tmp_path / "all.yaml", depth="maps"))


def test_a_list_has_defaults_of_its_own(tmp_path):
    jobs = options(tmp_path / "jobs.yaml", jobs=[{"photo": "a.jpg"}])
    with pytest.raises(InputError, match="--defaults is for photos"):
        read_batch(jobs, OUT, options(tmp_path / "all.yaml"))


def test_a_pattern_that_finds_nothing_is_named(tmp_path):
    with pytest.raises(InputError, match=r"\*\.jpg: no photos are found there"):
        read_batch(tmp_path / "*.jpg", OUT, options(tmp_path / "all.yaml"))
