"""The one exception a user's input can cause; the command prints it as a single line."""


class InputError(ValueError):
    """Something the user handed in is wrong: the message says what it is and what to do about it."""
