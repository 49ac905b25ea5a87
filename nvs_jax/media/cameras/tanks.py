"""Tanks and Temples scenes as the release reads them: Rs.npy, ts.npy and Ks.npy beside the pictures."""

import os
from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np
from jaxtyping import Float

from nvs_jax.errors import InputError
from nvs_jax.media.cameras.files import MAX_POSES, beside, check_frames, from_matrix, is_file, select
from nvs_jax.media.cameras.rotations import check_pose, pose_matrix
from nvs_jax.media.cameras.views import CameraSet, PosedCamera

NAMES = ("Rs.npy", "ts.npy", "Ks.npy")

# The size of the pictures that the intrinsics are for.
_HEIGHT, _WIDTH = 274, 504
_PICTURES = (".jpg", ".png", ".jpeg")
_DEPTHS = (".npy", ".pfm")  # the release's order


def read_tanks(
    path: str | os.PathLike[str], views: Sequence[int] | None = None, chosen: Sequence[int] = ()
) -> CameraSet:
    """Read a folder of Rs.npy [N,3,3], ts.npy [N,3], Ks.npy [N,3,3] and pictures 000001.jpg, 000002.jpg and so on.

    Rotations and translations are world-to-camera with OpenCV's axes; intrinsics are for 274x504.

    Args:
        path: the folder.
        views: which pose, counted from 1, each picture has, in the order of their names: the release's folders hold
            two pictures of a longer sequence, and its options --src1 and --src2 say which. None: as many poses as
            pictures.
        chosen: which of the pictures, in this order, counted from 0; none: all.

    Raises:
        InputError: a file is missing or holds something else; pictures, poses and `views` are not equally many.
    """
    folder = Path(path)
    arrays = [_load(folder / name, trailing) for name, trailing in zip(NAMES, ((3, 3), (3,), (3, 3)), strict=True)]
    rotations, translations, matrices = arrays
    counts = [len(values) for values in arrays]
    if len(set(counts)) > 1:
        raise InputError(f"{folder}: {', '.join(NAMES)} hold {counts} entries; each needs one a pose")
    check_frames(len(rotations), folder)
    pictures = sorted(file for suffix in _PICTURES for file in folder.glob(f"[0-9]*{suffix}") if is_file(file))
    views = range(1, len(rotations) + 1) if views is None else views
    if len(views) != len(pictures):
        raise InputError(
            f"{folder}: {len(pictures)} pictures for {len(views)} poses; put all pictures there, or keep only their "
            f"entries in {', '.join(NAMES)}"
        )
    if not all(1 <= view <= len(rotations) for view in views):
        raise InputError(f"{folder}: views are counted from 1 to {len(rotations)}, not {list(views)}")
    cameras = []
    for view, picture in select(list(zip(views, pictures, strict=True)), chosen, folder):
        where = f"{folder}: pose {view}"
        cameras.append(
            PosedCamera(
                pose=check_pose(pose_matrix(rotations[view - 1], translations[view - 1]), where),
                intrinsics=from_matrix(matrices[view - 1], (_HEIGHT, _WIDTH), where),
                height=_HEIGHT,
                width=_WIDTH,
                picture=picture,
                depth=beside(folder, picture.stem, _DEPTHS),
            )
        )
    return CameraSet(tuple(cameras))


def _load(path: Path, trailing: tuple[int, ...]) -> Float[np.ndarray, "n *trailing"]:
    """An array [N, *trailing] (axes of size 1 do not matter) of finite numbers, in float64."""
    if not is_file(path):
        raise InputError(f"{path}: no such file")
    if path.stat().st_size > MAX_POSES * 9 * 8 + 4096:
        raise InputError(f"{path}: larger than {MAX_POSES} poses")
    try:
        # Mapped, so that a header that promises more than the file holds costs no memory; refuses Python objects.
        values = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # numpy's parser of the header raises almost anything
        raise InputError(f"{path}: not an array in numpy's format") from error
    name = f"{path}: must be numbers of shape [N, {', '.join(map(str, trailing))}]"
    if values.dtype.kind not in "fiu" or values.ndim < 2:
        raise InputError(name)
    if values.size != len(values) * prod(trailing) or tuple(n for n in values.shape[1:] if n > 1) != trailing:
        raise InputError(f"{name}, not {values.shape}")
    return np.array(values, np.float64).reshape(-1, *trailing)
