"""What the command exits with. No JAX here."""

from nvs_jax.errors import InputError
from nvs_jax.runs.stopping import EXIT_CODE, Stopped

MISTAKE = 2
"""In the command, its inputs or their files; a full disk or memory."""
MISSING = 69
"""Another of the processes that share a render is gone: EX_UNAVAILABLE of sysexits.h."""


def exit_code(error: BaseException) -> int:
    """Of a command that ends with this exception; docs/long_runs.md has the table.

    >>> exit_code(InputError("no such photo")), exit_code(KeyboardInterrupt()), exit_code(SystemExit(75))
    (2, 130, 75)
    """
    match error:
        case Stopped():
            return EXIT_CODE
        case KeyboardInterrupt():
            return 130
        case SystemExit():
            return error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        case InputError() | OSError():
            return MISTAKE
    return MISTAKE if is_out_of_memory(error) else 1


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this process, or a device, had no more memory to give."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "RESOURCE_EXHAUSTED" in str(error))
