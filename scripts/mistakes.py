"""A user's mistake is one line and exit code 2, as the command's."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nvs_jax.errors import InputError


@contextmanager
def mistakes_in_one_line() -> Iterator[None]:
    """Say what is wrong with the input in one line, and end."""
    try:
        yield
    except (InputError, OSError) as error:
        said = str(error) if isinstance(error, InputError) else f"{error.filename or 'input/output'}: {error.strerror}"
        print(f"error: {said}", file=sys.stderr)
        sys.exit(2)
