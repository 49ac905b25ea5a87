"""Options and fixtures every test may use.

Files named `*_parity.py` compare with outputs of the authors' release, which are not
part of this repository: they take `--parity=DIR` (or NVS_JAX_PARITY) and are not collected without it.
"""

import gc
import os
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
    "media",
    "models",
    "pipeline",
    "results",
    "scenes",
    "views",
    "windows",
]
install_import_hook(["convert", *(f"nvs_jax.{name}" for name in CHECKED)], "beartype.beartype")

DATA = Path(__file__).parent / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--parity", default=os.environ.get("NVS_JAX_PARITY"), help="folder of the release's outputs")


def _parity(config: pytest.Config) -> Path | None:
    folder = config.getoption("--parity")
    return Path(folder).resolve() if folder else None


def pytest_configure(config: pytest.Config) -> None:
    # The machine may be busy, and the first example compiles.
    hypothesis.settings.register_profile("no deadline", deadline=None)
    hypothesis.settings.load_profile("no deadline")
    # Compiling takes most of the time: what an earlier run compiled need not be compiled again.
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.rootpath / ".pytest_cache" / "programs"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
    folder = _parity(config)
    if folder is not None and not (folder / "svd-tiny").is_dir():
        raise pytest.UsageError(f"--parity {folder}: no such folder of parity files")


def pytest_report_header(config: pytest.Config) -> str:
    folder = _parity(config)
    return f"parity files: {folder}" if folder else "parity files: none given; tests named *_parity.py are left out"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if collection_path.name.endswith("_parity.py") and _parity(config) is None else None


@pytest.fixture(scope="session")
def parity(pytestconfig: pytest.Config) -> Path:
    """Folder of the release's outputs."""
    folder = _parity(pytestconfig)
    assert folder is not None
    return folder


def pytest_collection_finish() -> None:
    # What importing and collecting made stays: a hundred megabytes that the garbage collector need not look at again.
    gc.collect()
    gc.freeze()
