"""Folders that appear in an object store: whole, whatever moment a process ends at, and over nothing but our own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import nvs_jax.disk.bucket
from nvs_jax.disk import CHECKPOINT, RESULT, published_folder, read_manifest, recover, work_on
from nvs_jax.disk.destination import check_free, resolved
from nvs_jax.errors import InputError
from nvs_jax.remote import copy, delete, read, upload, write
from tests.stores import at, memory_store, names_in

NAMES = ("video.mp4", "frames/000.png", "frames/001.png", "run.json")


@pytest.fixture(autouse=True)
def bucket() -> Iterator[str]:
    with memory_store() as address:
        yield address


def make(out: str, content: str, names: tuple[str, ...] = NAMES, *, overwrite: bool = False) -> None:
    with published_folder(Path(out), RESULT, overwrite=overwrite) as folder:
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("{}" if name == "run.json" else content)


def whole(out: str, names: tuple[str, ...] = NAMES) -> str | None:
    """What all files of a result hold; None where the place does not look finished."""
    manifest = read_manifest(Path(out), "run.json")
    if manifest is None:
        return None
    assert manifest.lacks(Path(out)) is None
    assert manifest.foreign(Path(out)) is None
    assert {*manifest.files, "run.json"} == {*names}
    (content,) = {read(at(out) / name, 1000) for name in names if name != "run.json"}
    return (content or b"").decode()


def test_a_folder_appears_with_its_record_and_nothing_beside_it(bucket):
    make(f"{bucket}/a/result", "new")
    assert whole(f"{bucket}/a/result") == "new"
    assert names_in(bucket) == {f"a/result/{name}" for name in NAMES}


def test_only_our_own_is_replaced(bucket):
    out = f"{bucket}/result"
    make(out, "old")
    with pytest.raises(InputError, match=r"already holds a result"):
        make(out, "new")
    make(out, "new", NAMES[1:], overwrite=True)
    assert whole(out, NAMES[1:]) == "new"
    write(at(out) / "notes.txt", b"mine")
    with pytest.raises(InputError, match=r"holds notes.txt, which is no part of the result"):
        make(out, "newer", overwrite=True)
    write(at(bucket) / "photos/a.png", b"mine")
    for overwrite in (False, True):
        with pytest.raises(InputError, match=r"exists and is not a result of this program, and not empty"):
            make(f"{bucket}/photos", "new", overwrite=overwrite)
        with pytest.raises(InputError, match=r"but a file"):
            make(f"{bucket}/photos/a.png", "new", overwrite=overwrite)
    write(at(bucket) / ".taken.run/a", b"mine")
    with pytest.raises(InputError, match=r"in the way and not of this program"):
        make(f"{bucket}/taken", "new")
    assert {name for name in names_in(bucket) if not name.startswith("result/")} == {"photos/a.png", ".taken.run/a"}


class Killed(BaseException):
    pass


def raise_killed(*_: object) -> None:
    raise Killed


def kill_at(moment: int, patch: pytest.MonkeyPatch) -> None:
    """Have the process end at a change of the store, counted from 1; of one of many objects half are done."""
    left = [moment]

    def ending(act):
        def wrapped(*given):
            left[0] -= 1
            if left[0] == 0:
                position, names = next(
                    ((i, list(one)) for i, one in enumerate(given) if isinstance(one, list | tuple | dict)), (None, [])
                )
                if position is not None and len(names) > 1:
                    act(*given[:position], sorted(names)[: len(names) // 2], *given[position + 1 :])
            if left[0] <= 0:  # nor is anything tidied up
                raise Killed
            return act(*given)

        return wrapped

    for act in (copy, delete, upload, write):
        patch.setattr(nvs_jax.disk.bucket, act.__name__, ending(act))


@pytest.mark.parametrize("former", [None, "old"], ids=["new", "replaced"])
def test_whatever_moment_a_process_ends_at_one_of_both_is_whole(bucket, former):
    out, seen, moment = f"{bucket}/result", set(), 0
    others = (*NAMES[1:], "warps.gif")
    while "new" not in seen or moment < 5:
        moment += 1
        for name in names_in(bucket):
            delete(at(bucket), [name])
        if former:
            make(out, former, others)
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
            kill_at(moment, patch)
            make(out, "new", overwrite=True)
            raise Killed
        if read_manifest(Path(out), "run.json") is not None:
            found = read(at(out) / NAMES[1], 1000) == b"new"
            assert whole(out, NAMES if found else others) == ("new" if found else "old")
        recover(resolved(Path(out), RESULT), RESULT)
        there = read(at(out) / NAMES[1], 1000)
        seen.add(str(there, "ascii") if there else None)
        assert whole(out, NAMES if there == b"new" else others) == (str(there, "ascii") if there else None)
        make(out, "last", overwrite=True)
        assert whole(out) == "last"
        assert names_in(bucket) == {f"result/{name}" for name in NAMES}
    assert seen == {former, "new"}


def test_what_came_to_the_place_meanwhile_stays(bucket):
    out = f"{bucket}/result"
    with (
        pytest.raises(InputError, match=r"result holds a\.txt, which came there meanwhile: .* is in \S+/result-\w{8}$"),
        published_folder(Path(out), RESULT, overwrite=False) as folder,
    ):
        (folder / "b.txt").write_text("new")
        write(at(out) / "a.txt", b"mine")
    kept = next(name.split("/")[0] for name in names_in(bucket) if name.startswith("result-"))
    assert whole(f"{bucket}/{kept}", ("b.txt", "run.json")) == "new"
    assert names_in(out) == {"a.txt"}


def test_states_are_taken_along_and_found_by_another_machine(bucket):
    out = Path(f"{bucket}/result")
    with work_on(out, RESULT) as work:
        (work.folder / "run.json").write_text("{}")
        for step in (5, 10, 15):
            (work.folder / "legs" / "000").mkdir(parents=True, exist_ok=True)
            (work.folder / "legs" / "000" / f"{step:06}").write_bytes(bytes([step]))
            (work.folder / "legs" / "000" / f"{step - 10:06}").unlink(missing_ok=True)
            work.follow()
    assert names_in(f"{bucket}/.result.run") == {".nvs-jax.json", "run.json", "legs/000/000010", "legs/000/000015"}
    with work_on(out, RESULT) as work:
        assert not work.folder.is_relative_to(bucket)
        assert (work.folder / "legs" / "000" / "000015").read_bytes() == bytes([15])
        (work.folder / "legs" / "000" / "000015").write_bytes(b"again")
        work.follow()
        assert read(at(f"{bucket}/.result.run/legs/000/000015"), 10) == b"again"
        for file in (work.folder / "legs" / "000").iterdir():
            file.unlink()
        (work.folder / "legs" / "000").rmdir()
        (work.folder / "legs").rmdir()
    assert names_in(bucket) == set()


def test_a_complete_checkpoint_is_finished_by_whoever_comes_next(bucket):
    """The mark says what it is of, not the command that finds it."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(nvs_jax.disk.bucket, "_take_place", raise_killed)
        with published_folder(Path(f"{bucket}/a"), CHECKPOINT, overwrite=False) as folder:
            (folder / "weights").write_text("x")
            patch.setattr(nvs_jax.disk.bucket, "clear_hidden", raise_killed)
    assert "a/nvs_jax.json" not in names_in(bucket)
    with pytest.raises(InputError, match="not a result of this program"):
        make(f"{bucket}/a", "new")
    assert json.loads(read(at(f"{bucket}/a/nvs_jax.json"), 1000) or b"")["files"] == {"weights": 1}


def test_places_for_no_folder(bucket):
    with pytest.raises(InputError, match=r"is a whole bucket: choose a folder in it"):
        resolved(Path(bucket), RESULT)
    for given, message in (("a", "is the input"), ("a/photo.png", "holds the input"), ("ab/photo.png", None)):
        if message is None:
            assert resolved(Path(f"{bucket}/a"), RESULT, [Path(f"{bucket}/{given}")]) == Path(f"{bucket}/a")
        else:
            with pytest.raises(InputError, match=message):
                resolved(Path(f"{bucket}/a"), RESULT, [Path(f"{bucket}/{given}")])
    check_free(Path(f"{bucket}/a"), RESULT, overwrite=False)
