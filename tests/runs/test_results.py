import numpy as np
import pytest

from nvs_jax.geometry import dolly_zoom, intrinsics_matrix, look_at
from nvs_jax.inputs.view import View
from nvs_jax.media import write_frames
from nvs_jax.media.cameras import read_cameras
from nvs_jax.media.fitting import placement_of
from nvs_jax.runs.results import Cameras, write_cameras
from tests.tiny import HEIGHT, WIDTH, scene


@pytest.mark.parametrize("file", ["transforms.json", "colmap/sparse/0"])
def test_exported_cameras_have_the_lens_of_every_frame(tmp_path, file):
    """A dolly-zoom by 35 of 70: 1, .875, .75, .625, .5 of the first focal length."""
    picture, depth = scene()
    K = intrinsics_matrix(20.0, HEIGHT, WIDTH)
    moves = dolly_zoom(look_at((0.0, 0.0, 70.0), (0.0, 0.0, 0.0)), 70.0, 35.0, 5)
    view = View(picture, depth, np.asarray(K), placement_of((HEIGHT, WIDTH), HEIGHT, WIDTH, "crop"), (HEIGHT, WIDTH))
    write_frames(tmp_path / "images", np.stack([picture] * 5))
    write_cameras(tmp_path, "images", Cameras(moves.poses, moves.intrinsics(K)), view)
    lenses = np.stack([camera.intrinsics for camera in read_cameras(tmp_path / file).cameras])
    np.testing.assert_allclose(lenses[:, 0, 0], 20 * np.array([1, 0.875, 0.75, 0.625, 0.5]), rtol=1e-6)
    np.testing.assert_allclose(lenses[:, 1, 1], lenses[:, 0, 0])
    # Files count from the picture's corner.
    np.testing.assert_allclose(lenses[:, :2, 2], [K[:2, 2] + 0.5] * 5, rtol=1e-6)
