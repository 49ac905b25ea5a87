"""Options and fixtures every test may use.

Files named `*_parity.py` compare with outputs of the authors' release, which are not
part of this repository: they take `--parity=DIR` (or NVS_JAX_PARITY) and are not collected without it. Files that
compare with PyTorch's modules are not collected where PyTorch is not installed.
"""

import ast
import gc
import importlib.util
import itertools
import os
from functools import cache
from pathlib import Path

import hypothesis
import pytest
from jaxtyping import install_import_hook

# Everything with shapes in its signatures; not the command's jobs, whose defaults are placeholders.
CHECKED = [
    "checkpoint",
    "checks",
    "diffusion",
    "evaluation",
    "geometry",
    "inputs",
    "loading",
    "media",
    "models",
    "pipeline",
    "runs",
    "scenes",
    "steering",
    "studio",
    "windows",
]
install_import_hook(["convert", *(f"nvs_jax.{name}" for name in CHECKED)], "beartype.beartype")

DATA = Path(__file__).parent / "data"
MOST_MAPS = 40_000
"""Areas of memory of a process, of which Linux lets it have 65,530 (vm.max_map_count)."""
_MAPS = Path("/proc/self/maps")
_ended = itertools.count(1)
_WITH_PYTORCH = ("torch", "diffusers", "transformers")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--parity", default=os.environ.get("NVS_JAX_PARITY"), help="folder of the release's outputs")


def _parity(config: pytest.Config) -> Path | None:
    folder = config.getoption("--parity")
    return Path(folder).resolve() if folder else None


def pytest_configure(config: pytest.Config) -> None:
    # No deadlines: the machine may be busy, and the first example compiles.
    hypothesis.settings.register_profile("full", deadline=None)
    hypothesis.settings.register_profile("quick", deadline=None, max_examples=25)
    hypothesis.settings.load_profile("quick" if config.option.markexpr == "not full" else "full")
    # Compiling takes most of the time: what an earlier run compiled need not be compiled again.
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.rootpath / ".pytest_cache" / "programs"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
    folder = _parity(config)
    if folder is not None and not (folder / "svd-tiny").is_dir():
        raise pytest.UsageError(f"--parity {folder}: no such folder of parity files")


@cache
def _has_pytorch() -> bool:
    return all(importlib.util.find_spec(name) for name in _WITH_PYTORCH)


def _imports(path: Path) -> frozenset[str]:
    """Modules that a file names, and what it takes from them."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
    return frozenset(names)


def _needs_pytorch(path: Path) -> bool:
    """Whether a file of the tests imports PyTorch or what is built on it, itself or through others of them."""
    seen, left = set(), [path]
    while left:
        names = _imports(left.pop())
        if any(name.split(".")[0] in _WITH_PYTORCH for name in names):
            return True
        ours = [
            Path(__file__).parents[1].joinpath(*name.split(".")).with_suffix(".py")
            for name in names - seen
            if name.startswith("tests.")
        ]
        left += [file for file in ours if file.is_file()]
        seen |= names
    return False


def pytest_report_header(config: pytest.Config) -> list[str]:
    folder = _parity(config)
    return [
        f"parity files: {folder}" if folder else "parity files: none given; tests named *_parity.py are left out",
        "PyTorch: compared with" if _has_pytorch() else "PyTorch: not installed; tests that need it are left out",
    ]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if collection_path.name.endswith("_parity.py") and _parity(config) is None:
        return True
    if _has_pytorch() or collection_path.suffix != ".py":
        return None
    return True if _needs_pytorch(collection_path) else None


@pytest.fixture(scope="session")
def parity(pytestconfig: pytest.Config) -> Path:
    """Folder of the release's outputs."""
    folder = _parity(pytestconfig)
    assert folder is not None
    return folder


def pytest_runtest_teardown() -> None:
    """Let go of compiled programs before they are too many: each takes a dozen of the areas of memory that Linux lets a
    process have, and a compiler that is given no more may end it, or leave it waiting for ever."""
    if next(_ended) % 25 == 0 and _MAPS.exists() and _MAPS.read_bytes().count(b"\n") > MOST_MAPS:
        import jax  # which reads variables that `pytest_configure` sets

        jax.clear_caches()
        gc.collect()


def pytest_collection_finish() -> None:
    # What importing and collecting made stays: a hundred megabytes that the garbage collector need not look at again.
    gc.collect()
    gc.freeze()
