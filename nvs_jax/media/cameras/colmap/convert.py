"""A COLMAP model as cameras, and back."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Int

from nvs_jax.disk import atomic_folder
from nvs_jax.errors import InputError
from nvs_jax.media.cameras.colmap.binary import read_binary_model, write_binary_model
from nvs_jax.media.cameras.colmap.folders import choice, model_folder, picture_in, pictures_near
from nvs_jax.media.cameras.colmap.model import (
    NO_POINT,
    CameraRecord,
    ImageRecord,
    Model,
    PointRecords,
    record_intrinsics,
)
from nvs_jax.media.cameras.colmap.text import read_text_model, write_text_model
from nvs_jax.media.cameras.files import check_frames, from_matrix, is_file, select
from nvs_jax.media.cameras.rotations import check_pose, pose_matrix, quaternion_of, rotation_of
from nvs_jax.media.cameras.views import CameraSet, Observations, PosedCamera


def read_colmap(
    path: str | os.PathLike[str],
    pictures: str | os.PathLike[str] | None = None,
    *,
    chosen: Sequence[int] = (),
    points: bool = True,
) -> CameraSet:
    """Read a model of undistorted pictures, with its sparse points and where each picture shows them.

    Args:
        path: the folder of the model's files (binary ones are preferred), or one that holds it as `sparse/0`, another
            number, or `sparse`; of several the one with most pictures.
        pictures: the folder the images' names start from; None: `images` beside the model or up to two folders above
            it, and where there is none, cameras come without pictures.
        chosen: which of the cameras, in this order, counted from 0; none: all. Pictures of others need not be there.
        points: whether to read points and where they are seen; without, their file need not be there.

    Returns:
        cameras sorted by the pictures' names, or those chosen.

    Raises:
        InputError: no model there, or a damaged or empty one; a lens with distortion; a picture is missing.
    """
    folder = model_folder(Path(path))
    if folder is None:
        raise InputError(f"{path}: no COLMAP model here; point at the folder of cameras, images and points3D")
    binary = is_file(folder / "cameras.bin")
    model = read_binary_model(folder, points) if binary else read_text_model(folder, points)
    check_frames(len(model.images), folder)
    root = Path(pictures) if pictures is not None else pictures_near(folder)
    if root is not None and not root.is_dir():
        raise InputError(f"{root}: no such folder of pictures")
    images = sorted(model.images.values(), key=lambda image: image.name)
    taken = select(images, chosen, path)
    note = choice(Path(path))
    return CameraSet(
        cameras=tuple(_posed_camera(image, model, root, folder) for image in taken),
        points=model.points.xyz if points else None,
        colours=model.points.colours if points else None,
        observations=_all_observations(taken, model.points, folder) if points else None,
        names=tuple(image.name for image in images),
        notes=() if note is None else (note,),
    )


def write_colmap(
    folder: str | os.PathLike[str],
    cameras: CameraSet,
    pictures: str | os.PathLike[str] | None = None,
    kind: Literal["binary", "text"] = "binary",
) -> None:
    """Write a model of pinhole cameras, complete or not at all.

    Args:
        folder: the model's, `sparse/0` by custom; made, if it is not there.
        cameras: what to write; cameras without a picture are named by their index.
        pictures: the folder names start from; None: names are those of the files alone.
        kind: of the files.

    Raises:
        InputError: the folder holds something, two pictures have one name, a picture is not below `pictures`, or K
            has skew.
    """
    if Path(folder).exists() and not (Path(folder).is_dir() and not any(Path(folder).iterdir())):
        raise InputError(f"{folder}: there is something already; write the model into a new folder")
    model = _model(cameras, None if pictures is None else Path(pictures))
    with atomic_folder(folder) as temporary:
        (write_binary_model if kind == "binary" else write_text_model)(temporary, model)


def _posed_camera(image: ImageRecord, model: Model, root: Path | None, folder: Path) -> PosedCamera:
    where = f"{folder}: image {image.name!r}"
    if image.camera not in model.cameras:
        raise InputError(f"{where}: its camera, {image.camera}, is not among the cameras")
    record = model.cameras[image.camera]
    pose = pose_matrix(rotation_of(image.quaternion, where), image.translation)
    return PosedCamera(
        pose=check_pose(pose, where),
        intrinsics=record_intrinsics(record, f"{folder}: camera {image.camera}"),
        height=record.height,
        width=record.width,
        picture=None if root is None else picture_in(root, image.name, where),
        name=image.name,
    )


def _all_observations(images: list[ImageRecord], points: PointRecords, folder: Path) -> tuple[Observations, ...]:
    order = np.argsort(points.numbers)
    if (np.diff(points.numbers[order]) == 0).any():
        raise InputError(f"{folder}: two points have one number; write the model again")
    return tuple(_observations(image, points.numbers, order, folder) for image in images)


def _observations(
    image: ImageRecord, numbers: Int[np.ndarray, "n"], order: Int[np.ndarray, "n"], folder: Path
) -> Observations:
    """The points an image shows, as indices into the list of points."""
    seen = image.points != NO_POINT
    wanted = image.points[seen]
    place = np.searchsorted(numbers, wanted, sorter=order)
    found = order[np.minimum(place, len(order) - 1)] if len(order) else np.zeros(len(wanted), np.int64)
    if len(wanted) and not (len(order) and (numbers[found] == wanted).all()):
        raise InputError(f"{folder}: image {image.name!r} shows points that are not among the points; run COLMAP again")
    return Observations(image.xy[seen], found)


def _model(cameras: CameraSet, root: Path | None) -> Model:
    lenses: dict[CameraRecord, int] = {}
    images: dict[int, ImageRecord] = {}
    for index, camera in enumerate(cameras.cameras):
        name, lens = _name(camera, index, root), _lens(camera, index)
        seen = Observations(np.zeros((0, 2)), np.zeros(0, np.int64))
        if cameras.observations is not None:
            seen = cameras.observations[index]
        images[index + 1] = ImageRecord(
            name=name,
            camera=lenses.setdefault(lens, len(lenses) + 1),
            quaternion=quaternion_of(check_pose(camera.pose, name)[:3, :3]),
            translation=camera.pose[:3, 3].astype(np.float64),
            xy=seen.xy.astype(np.float64),
            points=seen.point.astype(np.int64) + 1,
        )
    names = [image.name for image in images.values()]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{twice!r} names two pictures; say which folder the names start from")
    points = np.zeros((0, 3)) if cameras.points is None else cameras.points.astype(np.float64)
    colours = np.full(points.shape, 128, np.uint8) if cameras.colours is None else cameras.colours
    return Model(
        cameras={number: lens for lens, number in lenses.items()},
        images=images,
        points=PointRecords(np.arange(1, len(points) + 1), points, colours),
    )


def _name(camera: PosedCamera, index: int, root: Path | None) -> str:
    if camera.picture is None:
        return f"{index:06d}.png"
    if root is None:
        return camera.picture.name
    if not camera.picture.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{camera.picture}: not in the folder of pictures, {root}")
    return camera.picture.resolve().relative_to(root.resolve()).as_posix()


def _lens(camera: PosedCamera, index: int) -> CameraRecord:
    K = from_matrix(camera.intrinsics.astype(np.float64), (camera.height, camera.width), f"camera {index}")
    parameters = (float(K[0, 0]), float(K[1, 1]), float(K[0, 2]), float(K[1, 2]))
    return CameraRecord("PINHOLE", camera.width, camera.height, parameters)
