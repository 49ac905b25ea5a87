"""Where a COLMAP model and its pictures lie."""

from pathlib import Path, PurePosixPath

from nvs_jax.errors import InputError
from nvs_jax.media.cameras.colmap.binary import count_binary_images
from nvs_jax.media.cameras.colmap.text import count_text_images
from nvs_jax.media.cameras.files import is_file, names_in


def model_folder(path: Path) -> Path | None:
    """Where, at `path`, in its `sparse` or in a numbered folder of that, a model's files are; None: nowhere.

    Of several below `sparse`, as COLMAP writes them where the pictures fall apart, it is that of most pictures.
    """
    if _holds_model(path):
        return path
    models = models_below(path)
    return max(models, key=_pictures) if len(models) > 1 else next(iter(models), None)


def models_below(path: Path) -> list[Path]:
    """The folders of models in `sparse`, by their numbers, and that folder itself if it is one."""
    sparse = path / "sparse"
    if not sparse.is_dir():
        return []
    numbered = [folder for folder in sparse.iterdir() if folder.name.isdecimal() and folder.is_dir()]
    folders = [*sorted(numbered, key=lambda folder: (len(folder.name), folder.name)), sparse]
    return [folder for folder in folders if _holds_model(folder)]


def choice(path: Path) -> str | None:
    """Which of several models is read, in words; None where there is only one."""
    models = [] if _holds_model(path) else models_below(path)
    if len(models) < 2:
        return None
    taken = model_folder(path)
    others = ", ".join(f"{model.relative_to(path)} has {_pictures(model)}" for model in models if model != taken)
    return f"{taken} is read as the scene, as the model of most pictures, {_pictures(taken or path)}; {others}"


def pictures_near(folder: Path) -> Path | None:
    """The folder `images` beside a model, or up to two folders above it."""
    above = (folder, *folder.resolve().parents[:2])
    return next((place / "images" for place in above if (place / "images").is_dir()), None)


def picture_in(root: Path, name: str, where: str) -> Path:
    """The picture that an image names, in the folder of pictures.

    Raises:
        InputError: it leads out of that folder, or is not there.
    """
    if PurePosixPath(name).is_absolute() or Path(name).is_absolute() or ".." in names_in(name):
        raise InputError(f"{where}: its name leads out of the folder of pictures")
    found = next((path for path in (root / name, root.joinpath(*names_in(name))) if is_file(path)), None)
    if found is None:
        raise InputError(f"{where}: its picture is not in {root}; put it there, or choose cameras whose pictures are")
    return found


def _holds_model(folder: Path) -> bool:
    return any(is_file(folder / f"cameras.{end}") for end in ("bin", "txt"))


def _pictures(folder: Path) -> int:
    return count_binary_images(folder) if is_file(folder / "cameras.bin") else count_text_images(folder)
