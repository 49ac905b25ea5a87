"""A user's mistake is one line and exit code 2, as the command's."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nvs_jax.errors import InputError, in_words


@contextmanager
def mistakes_in_one_line() -> Iterator[None]:
    """Say what is wrong with the input in one line, and end."""
    try:
        yield
    except (InputError, OSError) as error:
        print(f"error: {' '.join(in_words(error).split())}", file=sys.stderr)
        sys.exit(2)
