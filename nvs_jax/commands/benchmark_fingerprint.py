"""Tells whether a scene is still the one that was measured, without reading its pictures."""

import hashlib
import json
from pathlib import Path

import numpy as np

from nvs_jax.media.cameras.views import CameraSet, PosedCamera
from nvs_jax.media.splits import Sample
from nvs_jax.media.unposed_splits import Unposed
from nvs_jax.runs.identity import digest


def fingerprint(sample: Sample | Unposed) -> str:
    """A digest of a scene's cameras and points, of names and sizes of its pictures, and of what its depth maps hold."""
    if isinstance(sample, Unposed):
        content = [_listed(sample.pictures), _held(sample.depth)]
    else:
        content = [_views(sample.given), _views(sample.targets)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]


def _views(views: CameraSet) -> list[object]:
    points = [] if views.points is None else _rounded(views.points.sum(0))
    return [[_camera(camera) for camera in views.cameras], 0 if views.points is None else len(views.points), points]


def _camera(camera: PosedCamera) -> list[object]:
    unit = None if camera.depth_unit is None else camera.depth_unit.size
    placed = [
        _rounded(camera.pose),
        _rounded(camera.intrinsics),
        camera.height,
        camera.width,
        camera.crop,
        camera.index,
    ]
    return [*placed, _listed(camera.picture), _held(camera.depth), unit]


def _rounded(values: np.ndarray) -> list[object]:
    """To what is the same on every machine; zero has one sign."""
    return (np.round(values, 5) + 0.0).tolist()


def _listed(path: Path | None) -> list[tuple[str, int]]:
    """Name and size of a file, or of all files in a folder; empty where there is none."""
    if path is None or not path.exists():
        return []
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [(file.name, file.stat().st_size) for file in files if file.is_file()]


def _held(path: Path | None) -> str | None:
    """Of depth maps, which have the same size whatever they hold."""
    return None if path is None else digest(path)
