"""Where `configs/` lies: inside the package when installed, at the root of a checkout. No JAX here."""

from pathlib import Path


def configs_folder(name: str) -> Path:
    """`configs/NAME`.

    >>> (configs_folder("presets") / "fast.yaml").is_file()
    True
    """
    here = Path(__file__).parent
    installed = here / "configs" / name
    return installed if installed.is_dir() else here.parent / "configs" / name
