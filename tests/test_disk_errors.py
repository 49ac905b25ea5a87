import errno
import logging
from types import SimpleNamespace

import pytest

from nvs_jax.disk_errors import orbax_writes

FULL = "No space left on device"


def test_too_little_space_is_seen_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=99 if path == tmp_path else 0))
    with orbax_writes(tmp_path, 99):
        pass
    with pytest.raises(OSError, match=FULL) as failure, orbax_writes(tmp_path, 100):
        pytest.fail("nothing may be written")
    assert (failure.value.errno, failure.value.filename) == (errno.ENOSPC, str(tmp_path))


@pytest.mark.parametrize("error", [ValueError(f"RESOURCE: {FULL} [28]"), OSError(errno.ENOSPC, FULL)])
def test_what_orbax_raises_becomes_the_system_error(error, tmp_path):
    with pytest.raises(OSError, match=FULL) as failure, orbax_writes(tmp_path, 0):
        raise error
    assert failure.value.filename == str(tmp_path)


def test_other_errors_are_left_alone(tmp_path):
    with pytest.raises(ValueError, match="mine"), orbax_writes(tmp_path, 0):
        raise ValueError("mine")


def test_the_logs_are_quiet_within_and_as_before_afterwards(tmp_path):
    log = logging.getLogger("absl")
    before = log.level
    with orbax_writes(tmp_path, 0):
        assert not log.isEnabledFor(logging.ERROR)
    assert log.level == before
