from pathlib import Path

import numpy as np
import pytest

from convert import memory
from convert.memory import PeakMemory, held


def test_what_was_held_for_a_while_is_seen(tmp_path: Path):
    with PeakMemory() as peak:
        before = peak.bytes
        held_for_a_while = np.ones(8_000_000)
        peak.look()
        del held_for_a_while
    assert peak.bytes - before > 60_000_000
    assert held() < peak.bytes


def test_mapped_files_do_not_count(tmp_path: Path):
    np.save(tmp_path / "large.npy", np.ones(8_000_000))
    with PeakMemory() as peak:
        peak.look()
        before = peak.bytes
        assert np.load(tmp_path / "large.npy", mmap_mode="r").sum() == 8_000_000
    assert peak.bytes - before < 30_000_000


def test_without_proc_it_is_the_most_ever_held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    now = held()
    monkeypatch.setattr(memory, "_STATUS", tmp_path / "absent")
    assert held() >= now
