"""`python -m tests.xla_flags`: what makes XLA compile fast rather than well, as far as the installed one knows it.

XLA ends a process that gives it a flag it does not know, and drops flags from one version to the next.
"""

import mmap
from pathlib import Path

import jaxlib

FLAGS = {
    "xla_backend_optimization_level": "0",
    "xla_cpu_use_fusion_emitters": "false",
    "xla_cpu_parallel_codegen_split_count": "1",
}


def known(name: str) -> bool:
    """Whether the name of a flag is in jaxlib's libraries."""
    return any(_holds(path, b"\0" + name.encode() + b"\0") for path in Path(jaxlib.__file__).parent.glob("*.so*"))


def _holds(path: Path, text: bytes) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(text) >= 0


if __name__ == "__main__":
    print(" ".join(f"--{name}={value}" for name, value in FLAGS.items() if known(name)))
