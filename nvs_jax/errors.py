"""The one exception a user's input can cause, and how the command says what went wrong."""


def in_words(error: Exception) -> str:
    """What a mistake is about, a file that cannot be read or written among them.

    >>> in_words(FileNotFoundError(2, "No such file or directory", "a.png"))
    'a.png: No such file or directory'
    """
    if isinstance(error, OSError):
        return f"{error.filename or 'input/output'}: {error.strerror or error}"
    return str(error)


class InputError(ValueError):
    """Something the user handed in is wrong: the message says what it is and what to do about it."""
