import errno

import pytest

from nvs_jax.errors import InputError
from scripts.mistakes import mistakes_in_one_line


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InputError("no such folder: take another"), "error: no such folder: take another\n"),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "a.pth"),
            "error: a.pth: No such file or directory\n",
        ),
        (OSError("no\nnumber"), "error: input/output: no number\n"),
        (OSError(errno.EIO, "Input/output error"), "error: input/output: Input/output error\n"),
    ],
)
def test_a_mistake_is_one_line(capsys, error, said):
    with pytest.raises(SystemExit) as ended, mistakes_in_one_line():
        raise error
    assert ended.value.code == 2
    assert capsys.readouterr().err == said


def test_what_is_our_own_fault_is_shown_whole():
    with pytest.raises(ZeroDivisionError), mistakes_in_one_line():
        raise ZeroDivisionError
