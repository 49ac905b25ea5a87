"""What nvidia-smi says of the first card; nothing where it is not. No JAX and no PyTorch here."""

import shutil
import subprocess
import time
from functools import cache

FREE_MIB = 1024
"""A card with less than this in use is nobody's: what the driver itself takes is less."""


@cache
def has_card() -> bool:
    """Whether there is a card of Nvidia's, by its tool."""
    return bool(_ask("name"))


def clocks() -> str:
    """Of the streaming multiprocessors and the memory, and what throttles them; "" where it is not known."""
    found = _ask("clocks.sm", "clocks.mem", "power.draw", "temperature.gpu")
    return "" if not found else "SM {}, memory {}, {}, {} C".format(*found)


def used_mib() -> int | None:
    """Memory in use; None where it is not known."""
    found = _ask("memory.used")
    digits = "".join(filter(str.isdigit, found[0])) if found else ""
    return int(digits) if digits else None


def wait_until_free(seconds: float = 15.0) -> str:
    """Wait until the last child's memory is gone; what is to be said if it does not go."""
    until = time.monotonic() + seconds
    while (used := used_mib()) is not None and used > FREE_MIB:
        if time.monotonic() > until:
            return f"{used} MiB of the card were in use before it began"
        time.sleep(0.5)
    return ""


def _ask(*what: str) -> list[str]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = [tool, f"--query-gpu={','.join(what)}", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    lines = answer.splitlines()
    found = [part.strip() for part in lines[0].split(",")] if lines else []
    return found if len(found) == len(what) else []
