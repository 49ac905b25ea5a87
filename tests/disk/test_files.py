import os
import threading

import pytest

from nvs_jax.disk.files import read_bounded, read_json
from nvs_jax.errors import InputError
from nvs_jax.evaluation.fitting import read_fit
from nvs_jax.media import read_depth, read_photo
from nvs_jax.media.cameras import read_ply
from nvs_jax.runs.identity import digest
from nvs_jax.settings.presets import read_yaml

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


def test_no_more_is_read_than_may_be(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_bounded(path, 5) == b"12345"
    with pytest.raises(InputError, match="larger than such a file can be"):
        read_bounded(path, 4)


@pytest.mark.parametrize("read", [read_yaml, read_json, read_fit], ids=lambda read: read.__name__)
def test_devices_and_pipes_are_no_files(read, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in ("/dev/zero", "/dev/full", pipe, tmp_path):
        with pytest.raises(InputError, match="is no regular file"):
            read(tmp_path / path)


def test_a_device_or_a_pipe_has_a_digest(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "round").symlink_to("round")
    done = threading.Event()

    def compute():
        assert digest(tmp_path) == digest(tmp_path)
        assert digest(tmp_path / "pipe") is not None
        done.set()

    threading.Thread(target=compute, daemon=True).start()
    assert done.wait(20)


@pytest.mark.parametrize("name", ["a.png", "a.npy", "a.npz", "a.pfm", "a.ply"])
def test_a_pointer_of_git_lfs_is_named(name, tmp_path):
    path = tmp_path / name
    path.write_text(POINTER)
    readers = {"a.png": read_photo, "a.ply": read_ply}
    with pytest.raises(InputError, match=r"Git LFS pointer.*git lfs pull"):
        readers.get(name, lambda path: read_depth(path, "depth"))(path)
