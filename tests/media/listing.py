from pathlib import Path


def names(folder: Path) -> list[str]:
    """Everything a folder holds, hidden entries too."""
    return sorted(path.name for path in folder.iterdir())
