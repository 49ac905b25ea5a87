import errno
import logging
import os
from types import SimpleNamespace

import pytest

from nvs_jax.disk.errors import orbax_writes

FULL = "No space left on device"


def test_too_little_space_is_seen_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=99 if path == tmp_path else 0))
    with orbax_writes(tmp_path, 99):
        pass
    with pytest.raises(OSError, match=FULL) as failure, orbax_writes(tmp_path, 100):
        pytest.fail("nothing may be written")
    assert (failure.value.errno, failure.value.filename) == (errno.ENOSPC, str(tmp_path))


def caused(by: BaseException) -> Exception:
    error = RuntimeError("a future failed")
    error.__cause__ = by
    return error


WRAPPED = {
    "as it is": lambda code: OSError(code, os.strerror(code)),
    "quoted": lambda code: ValueError(f"RESOURCE: {os.strerror(code)} [{code}]"),
    "quoted without a number": lambda code: OSError(f"writing failed: {os.strerror(code)}"),
    "in a group": lambda code: ExceptionGroup("writing", [ValueError("x"), OSError(code, os.strerror(code))]),
    "as a cause": lambda code: caused(ValueError(os.strerror(code))),
}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("wrapped", WRAPPED)
def test_what_orbax_raises_becomes_the_system_error(wrapped, code, tmp_path):
    with pytest.raises(OSError, match=os.strerror(code)) as failure, orbax_writes(tmp_path, 0):
        raise WRAPPED[wrapped](code)
    assert (failure.value.errno, failure.value.filename) == (code, str(tmp_path))


def test_other_errors_are_left_alone(tmp_path):
    with pytest.raises(ValueError, match="mine"), orbax_writes(tmp_path, 0):
        raise ValueError("mine")


def test_the_logs_are_quiet_within_and_as_before_afterwards(tmp_path):
    log = logging.getLogger("absl")
    before = log.level
    with orbax_writes(tmp_path, 0):
        assert not log.isEnabledFor(logging.ERROR)
    assert log.level == before
