"""Tells whether a scene is still the one that was measured, without reading its pictures."""

import hashlib
import json
from pathlib import Path

from nvs_jax.media.cameras.views import PosedCamera
from nvs_jax.media.splits import Sample
from nvs_jax.media.unposed_splits import Unposed


def fingerprint(sample: Sample | Unposed) -> str:
    """A digest of a scene's cameras, and of names and sizes of its pictures and depth maps."""
    if isinstance(sample, Unposed):
        content = [_listed(sample.pictures), _listed(sample.depth)]
    else:
        content = [[_camera(camera) for camera in views.cameras] for views in (sample.given, sample.targets)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]


def _camera(camera: PosedCamera) -> list[object]:
    placed = [camera.pose.tolist(), camera.intrinsics.tolist(), camera.height, camera.width, camera.crop, camera.index]
    return [*placed, _listed(camera.picture), _listed(camera.depth)]


def _listed(path: Path | None) -> list[tuple[str, int]]:
    """Name and size of a file, or of all files in a folder; empty where there is none."""
    if path is None or not path.exists():
        return []
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [(file.name, file.stat().st_size) for file in files if file.is_file()]
