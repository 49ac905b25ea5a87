"""Signs of life, with a clock that is turned by hand."""

import pytest

from nvs_jax.runs.presence import Patience, Presence
from nvs_jax.runs.shares import Share
from nvs_jax.runs.stopping import StopRequest

PATIENCE = Patience()


class Board:
    """Nobody asks it: signs are handed to `hear`."""

    def key_value_set(self, key: str, value: str, allow_overwrite: bool = False) -> None:
        raise NotImplementedError

    def key_value_dir_get(self, key: str) -> list[tuple[str, str]]:
        raise NotImplementedError


class Watched(Presence):
    """One whose threads do not run, and which notes down with what it ended."""

    def __init__(self, index: int, count: int = 3):
        self.ended: list[int] = []
        super().__init__(Share(index, count), Board(), StopRequest(), patience=PATIENCE, end=self.ended.append)

    def live(self, seconds: int, signs: dict[int, str] | None, count: int = 0) -> None:
        """So many seconds with these signs of others, `+` one that is new each second; None: the board is silent."""
        for second in range(seconds):
            if self.ended:
                return
            if signs is not None:
                new = {index: sign.replace("+", str(count + second + 1)) for index, sign in signs.items()}
                self.hear({f"nvs_jax/presence/{index}": sign for index, sign in new.items()})
            self.pass_time(1.0)


def test_signs_of_life_keep_a_process_going():
    presence = Watched(1)
    presence.live(1000, {0: "+", 2: "+"})
    assert not presence.ended


@pytest.mark.parametrize(
    ("index", "signs", "said"),
    [
        (1, {0: "+", 2: "7"}, "process 2 of 3 is missing"),
        (0, {1: "7", 2: "+"}, "process 1 of 3 is missing"),
        (1, {0: "+"}, "process 2 of 3 is missing"),
        (1, None, "process 0 of 3 is missing"),
        (1, {0: "+", 2: "ends 75"}, "process 2 of 3 was told to stop"),
        (1, {0: "ends 2", 2: "+"}, "process 0 of 3 ended with exit code 2"),
        (1, {0: "lost 2", 2: "+"}, "process 2 of 3 is missing"),
        (1, {0: "lost 1", 2: "+"}, "process 0 of 3 is missing"),
    ],
)
def test_who_is_missing_is_said_within_the_time_for_it(index, signs, said, monkeypatch, capsys):
    monkeypatch.setattr("time.sleep", lambda _: None)
    presence = Watched(index)
    presence.live(5, {0: "+", 1: "+", 2: "+"})
    presence.live(int(PATIENCE.silence) + 2, signs, count=5)
    assert presence.ended == [69]
    assert capsys.readouterr().err.startswith(f"{said}: this one cannot go on alone; start all of them again")


def test_who_is_done_is_not_missing():
    presence = Watched(0)
    presence.live(100, {1: "done", 2: "+"})
    assert not presence.ended


def test_a_request_to_stop_has_its_time(monkeypatch, capsys):
    monkeypatch.setattr("time.sleep", lambda _: None)
    presence = Watched(1)
    presence.stop.wanted = True
    presence.live(int(PATIENCE.grace), {0: "+", 2: "+"})
    assert not presence.ended
    presence.live(2, {0: "+", 2: "+"}, count=20)
    assert presence.ended == [75]
    assert "process 1 of 3 was told to stop and does, in the middle of a segment" in capsys.readouterr().err


def test_what_must_be_tidied_is_before_the_end(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    presence, tidied = Watched(1), []
    presence.tidy.append(lambda: tidied.append(list(presence.ended)))
    presence.live(20, {0: "ends 1", 2: "+"})
    assert (presence.ended, tidied) == ([69], [[]])
