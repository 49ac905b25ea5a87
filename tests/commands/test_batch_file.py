from pathlib import Path

import pytest
import yaml

from nvs_jax.commands.batch_file import read_batch
from nvs_jax.errors import InputError
from nvs_jax.settings.jobs import SingleJob, VideoJob, ViewsJob

OUT = Path("results")
PHOTO = {"photo": "a.png", "depth": "a.npy", "depth_kind": "depth", "weights": "OWNER/NAME"}


def written(folder: Path, content: object, name: str = "jobs.yaml") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
    return path


def test_jobs_take_the_options_of_the_commands(tmp_path):
    jobs = read_batch(
        written(
            tmp_path,
            {
                "defaults": {"weights": "OWNER/NAME", "settings": {"path": {"frames": 5, "step_degrees": 2.0}}},
                "jobs": [
                    {"name": "garden", **PHOTO, "seed": 3, "settings": {"path": {"frames": 7}}},
                    {"kind": "video", "frames": "clip", "depth": "/maps", "depth_kind": "disparity"},
                    {"kind": "views", "scene": "scene", "cameras": [2, 0], "preset": "reference", "steps": 9},
                ],
            },
        ),
        OUT,
    )
    assert list(jobs) == ["garden", "001", "002"]
    garden, video, views = jobs.values()
    assert isinstance(garden, SingleJob)
    assert (garden.photo, garden.seed, garden.out) == (tmp_path / "a.png", 3, OUT / "garden")
    assert (garden.settings.path.frames, garden.settings.path.step_degrees) == (7, 2.0)
    assert isinstance(video, VideoJob)
    assert (video.depth, video.settings.path.frames, video.settings.schedule.steps) == (Path("/maps"), 5, 25)
    assert isinstance(views, ViewsJob)
    assert (views.cameras, views.steps, views.settings.schedule.steps) == ((2, 0), 9, 100)
    assert all(job.resume for job in jobs.values())


def test_a_folder_holds_a_job_in_each_file(tmp_path):
    written(tmp_path, {"weights": "svd"}, "defaults.yaml")
    written(tmp_path, {**PHOTO, "weights": "other"}, "b.yaml")
    written(tmp_path, {name: PHOTO[name] for name in ("photo", "depth", "depth_kind")}, "a.yml")
    (tmp_path / "svd").mkdir()
    jobs = read_batch(tmp_path, OUT)
    assert {name: job.weights for name, job in jobs.items()} == {"a": str(tmp_path / "svd"), "b": "other"}


def test_files_named_in_settings_count_from_the_file_too(tmp_path):
    written(tmp_path, {"schedule": {"steps": 3}}, "mine.yaml")
    path = {"kind": "file", "file": "poses.json"}
    job = {**PHOTO, "preset": "mine.yaml", "settings": {"path": path}}
    settings = read_batch(written(tmp_path, {"jobs": [job]}), OUT)["000"].settings
    assert (settings.path.file, settings.schedule.steps) == (tmp_path / "poses.json", 3)


MISTAKES = {
    "an unknown option": ([{**PHOTO, "foto": 1}], "job 000: no option is called 'foto'; perhaps photo"),
    "an option a batch sets": ([{**PHOTO, "out": "x"}], "job 000: no option is called 'out'"),
    "an unknown setting": ([{**PHOTO, "name": "a", "settings": {"pathh": {}}}], "job a: settings: .*pathh"),
    "a setting's former name": (
        [{**PHOTO, "settings": {"weights": {"v2": 1.0}}}],
        "000: settings: weights is now .* trust",
    ),
    "an unknown kind": ([{**PHOTO, "kind": "film"}], "kind cannot be 'film': choose single, video, views"),
    "a missing option": ([{"weights": "a"}], "job 000 needs photo"),
    "a number for text": ([{**PHOTO, "photo": 3}], "job 000: photo: .*expected text"),
    "text for a number": ([{**PHOTO, "seed": "3"}], "job 000: seed: .*expected int"),
    "no such choice": ([{**PHOTO, "depth_kind": "dep"}], "job 000: depth_kind: "),
    "a value out of range": ([{**PHOTO, "seed": -1}], "job 000: seed must lie between 0 and 4294967295, not -1"),
    "a setting out of range": ([{**PHOTO, "settings": {"schedule": {"steps": 0}}}], "job 000: .*steps"),
    "an unknown preset": ([{**PHOTO, "preset": "quick"}], "job 000: no preset is called 'quick'"),
    "settings that are none": ([{**PHOTO, "settings": [1]}], "job 000: settings holds a list"),
    "a name twice": ([{**PHOTO, "name": "a"} for _ in range(2)], "two jobs have this name"),
    "a name outside": ([{**PHOTO, "name": "../a"}], "name must be that of a folder"),
    "a hidden name": ([{**PHOTO, "name": ".a.run"}], "name must be that of a folder"),
    "no name": ([{**PHOTO, "name": ""}], "name must be that of a folder"),
    "a name that no file can have": ([{**PHOTO, "name": "a\0b"}], "name must be that of a folder"),
    "a name of 221 bytes": ([{**PHOTO, "name": 110 * "\u00e4" + "a"}], "a name can have 220 bytes"),
    "a path that no file can have": ([{**PHOTO, "photo": "a\0b"}], "job 000: photo: .*no name can have"),
    "an address": ([{**PHOTO, "photo": "az://b/a.png"}], "job 000: photo: the path az://b/a.png is an address"),
    "an address of weights": ([{**PHOTO, "weights": "az://b/svd"}], "job 000: weights: .* is an address"),
    "a job that is none": (["a.png"], "job 0 holds a str"),
    "no jobs": ([], "no list of jobs"),
    "no list": ("a.png", "no list of jobs"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_name_the_job_and_the_option(mistake, tmp_path):
    jobs, message = MISTAKES[mistake]
    with pytest.raises(InputError, match=message):
        read_batch(written(tmp_path, {"jobs": jobs}), OUT)


@pytest.mark.parametrize("content", ["", "[]", "jobs", "{job: []}", "{defaults: 3, jobs: []}", "a: &a [*a]"])
def test_files_that_are_no_batch(content, tmp_path):
    with pytest.raises(InputError, match=r"jobs\.yaml"):
        read_batch(written(tmp_path, content), OUT)


def test_a_name_given_twice_is_refused_with_its_lines(tmp_path):
    for content in ("jobs: []\njobs:\n- {photo: a.png}\n", "jobs:\n- photo: a.png\n  seed: 3\n  seed: 4\n"):
        with pytest.raises(InputError, match=r"(jobs is given twice, in lines 1 and 2|seed is .* lines 3 and 4)"):
            read_batch(written(tmp_path, content), OUT)


def test_files_of_one_name_in_a_folder_are_refused(tmp_path):
    for name in ("a.yaml", "a.yml"):
        written(tmp_path, PHOTO, name)
    with pytest.raises(InputError, match="two files are called a"):
        read_batch(tmp_path, OUT)


def test_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="no list of jobs"):
        read_batch(tmp_path, OUT)
