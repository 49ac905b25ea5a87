"""What object stores are asked, in memory and on a server."""

import fsspec
import pytest

from nvs_jax.errors import InputError
from nvs_jax.remote import Address, copy, delete, download, is_there, listing, read, upload, write
from tests.stores import at, memory_store, s3_store


@pytest.fixture(params=["memory", "s3"], scope="module")
def bucket(request):
    if request.param == "memory":
        with memory_store() as address:
            yield address
    else:
        with s3_store() as (address, _):
            yield address


def test_what_is_written_is_there(bucket, tmp_path):
    folder = at(bucket) / "there"
    write(folder / "a.txt", b"one")
    (tmp_path / "b [1]").mkdir()
    for index in range(6):
        (tmp_path / "b [1]" / f"{index}*.txt").write_text(str(index))
    names = [f"b [1]/{index}*.txt" for index in range(6)]
    upload(tmp_path, names, folder)
    write(at(bucket) / "therein", b"another folder's name begins alike")
    assert listing(folder) == {"a.txt": 3, **dict.fromkeys(names, 1)}
    assert listing(folder / "a.txt") == {"": 3}
    copy(folder, names, at(bucket) / "copied")
    delete(folder, [*names, "none"])
    assert listing(folder) == {"a.txt": 3}
    download(at(bucket) / "copied", names, tmp_path / "back")
    assert (tmp_path / "back" / names[5]).read_text() == "5"
    delete(folder, [f"{index}" for index in range(9)])
    plain = [f"{index}.txt" for index in range(6)]
    for name in plain:
        write(folder / name, b"")
    delete(folder, [*plain, "none"])
    assert listing(folder) == {"a.txt": 3}


def test_what_is_not_there(bucket):
    folder = at(bucket) / "nowhere"
    assert listing(folder) == {}
    assert not is_there(folder)
    assert read(folder / "a", 10) is None
    delete(folder, ["a"])


def test_what_is_read_is_bounded(bucket):
    folder = at(bucket) / "bounded"
    write(folder / "a", b"12345")
    write(folder / "b", b"")
    assert (read(folder / "a", 5), read(folder / "b", 5)) == (b"12345", b"")
    assert is_there(folder)
    assert read(folder, 5) is None
    with pytest.raises(InputError, match=r"bounded/a is larger than such a file can be \(4 bytes\)"):
        read(folder / "a", 4)
    with pytest.raises(InputError, match=r"holds 2 files, more than 1"):
        listing(folder, 1)


def test_a_store_that_fails_is_one_line(tmp_path):
    with s3_store() as (address, _):
        for act in (lambda: write(Address("s3", "none/a"), b""), lambda: upload(tmp_path, ["a"], at(address))):
            with pytest.raises(OSError) as failed:
                act()
            assert str(failed.value.filename).startswith("s3://")
            assert "\n" not in str(failed.value)


def test_credentials_that_are_not_there_are_one_line(monkeypatch):
    with s3_store() as (address, environment):
        for name in environment:
            if "KEY" in name:
                monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/none")
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        with pytest.raises(OSError, match="Unable to locate credentials"):
            write(at(address) / "a", b"")
