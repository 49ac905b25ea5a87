"""docs/images/studio.png: what the studio shows of a procedural scene: `python -m scripts.picture_studio [PATH]`.

Above the view and its depth, then frames along an orbit with their holes marked, and below the curve of holes.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from nvs_jax.media import write_picture
from nvs_jax.models.families import family
from nvs_jax.studio.changes import with_path
from nvs_jax.studio.example import example_job
from nvs_jax.studio.pictures import curve, depth_beside, strip_of
from nvs_jax.studio.scene import open_scene
from nvs_jax.studio.session import Session

WIDTH = 800


def main(path: Path) -> None:
    """Make it."""
    with TemporaryDirectory() as folder:
        job = example_job(Path(folder), (384, 640))
        session = Session(open_scene(job, job.settings, family().lattice), job)
        session = with_path(session, step_degrees=2.5)
        seen = session.strip
        rows = [depth_beside(session), strip_of(seen.pictures, width=WIDTH // 5), curve(seen.shares, 12)]
    write_picture(path, np.concatenate([_wide(row) for row in rows]).astype(np.float32) / 255)


def _wide(picture: np.ndarray) -> np.ndarray:
    height = round(picture.shape[0] * WIDTH / picture.shape[1])
    return np.asarray(Image.fromarray(picture).resize((WIDTH, height)))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images/studio.png"))
