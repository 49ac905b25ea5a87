"""Only what a folder of ours lists is ever deleted, whatever else is in it and whatever its record says."""

import json
import os

import pytest

from nvs_jax.disk.manifest import delete_listed, read_json_file, read_manifest, seal

RECORD = "run.json"


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "result"
    (inside / "frames").mkdir(parents=True)
    (inside / "frames" / "000.png").write_bytes(b"four")
    (inside / "video.mp4").write_bytes(b"seven b")
    (inside / RECORD).write_text(json.dumps({"seed": 3}))
    seal(inside, RECORD, "9f")
    return inside


def listed(folder):
    manifest = read_manifest(folder, RECORD)
    assert manifest is not None
    return manifest


def test_a_sealed_folder_says_what_it_holds_and_keeps_what_its_record_said(folder):
    manifest = listed(folder)
    assert (manifest.id, manifest.files) == ("9f", {"frames/000.png": 4, "video.mp4": 7})
    assert manifest.entries["seed"] == 3
    assert manifest.lacks(folder) is None
    assert manifest.foreign(folder) is None


def test_what_is_gone_or_has_another_size_or_became_a_link_is_lacking(folder, tmp_path):
    manifest, video = listed(folder), folder / "video.mp4"
    video.write_bytes(b"eight by")
    assert manifest.lacks(folder) == "video.mp4"
    video.unlink()
    assert manifest.lacks(folder) == "video.mp4"
    (tmp_path / "elsewhere").write_bytes(b"seven b")
    video.symlink_to(tmp_path / "elsewhere")
    assert manifest.lacks(folder) == "video.mp4"
    assert manifest.foreign(folder) == "video.mp4"


def test_a_whole_folder_of_ours_is_deleted(folder):
    assert delete_listed(folder, listed(folder))
    assert not folder.exists()


def test_what_is_not_listed_stays_and_is_named(folder, tmp_path):
    manifest, away = listed(folder), tmp_path / "away"
    away.mkdir()
    (away / "000.png").write_bytes(b"four")
    (folder / "frames" / "note.txt").write_text("mine")
    (folder / "linked").symlink_to(away)
    assert manifest.foreign(folder) in ("linked", "frames/note.txt")
    assert not delete_listed(folder, manifest)
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*")} == {
        "frames",
        "frames/note.txt",
        "linked",
    }
    assert (away / "000.png").exists()


def test_a_listed_folder_that_became_a_link_is_not_followed(folder, tmp_path):
    manifest, away = listed(folder), tmp_path / "away"
    (folder / "frames").rename(away)
    (folder / "frames").symlink_to(away)
    delete_listed(folder, manifest)
    assert (away / "000.png").exists()


@pytest.mark.parametrize("name", ["../victim", "/victim", "a/../../victim", "", "a//b", "nul\0"])
def test_a_record_that_names_what_lies_outside_is_none_of_ours(name, folder):
    (folder / RECORD).write_text(json.dumps({"made_by": "nvs-jax", "id": "9f", "files": {name: 4}}))
    assert read_manifest(folder, RECORD) is None


@pytest.mark.parametrize(
    "change", [{"made_by": "another tool"}, {"id": ""}, {"id": 3}, {"files": ["video.mp4"]}, {"files": {"a": "4"}}]
)
def test_a_record_of_another_form_is_none_of_ours(change, folder):
    entries = {"made_by": "nvs-jax", "id": "9f", "files": {"video.mp4": 7}}
    (folder / RECORD).write_text(json.dumps(entries))
    listed(folder)
    (folder / RECORD).write_text(json.dumps(entries | change))
    assert read_manifest(folder, RECORD) is None


def test_a_record_that_is_a_link_a_pipe_or_nested_without_end_is_not_read(folder, tmp_path):
    (tmp_path / "other.json").write_text("{}")
    assert read_json_file(tmp_path / "other.json") == {}
    (folder / "link.json").symlink_to(tmp_path / "other.json")
    os.mkfifo(folder / "pipe.json")
    (folder / "deep.json").write_text("[" * 100_000)
    for name in ("link.json", "pipe.json", "deep.json", "missing.json"):
        assert read_json_file(folder / name) is None
