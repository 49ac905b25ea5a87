"""How long the studio takes from a move to the picture: `python -m scripts.bench_studio`.

A procedural scene at 576x1024; a slider moves, and the camera's picture is made again. Beside it the strip of all
frames with their holes, other depth, and one warp at full size. Median and 95th percentile, after warm-up.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import jax
import jax.numpy as jnp
import numpy as np

from nvs_jax.geometry import forward_warp
from nvs_jax.inputs.view import DepthFile, read_view
from nvs_jax.models.families import family
from nvs_jax.saying import tell
from nvs_jax.studio.changes import with_path, with_settings
from nvs_jax.studio.example import example_job
from nvs_jax.studio.scene import open_scene
from nvs_jax.studio.session import Session

REPEATS = 100


def main() -> None:
    """Measure and print a line for each."""
    with TemporaryDirectory() as folder:
        job = example_job(Path(folder), (576, 1024))
        session = Session(open_scene(job, job.settings, family().lattice), job)
        path, camera = job.settings.path, job.settings.camera

        def slide(number: int) -> None:
            with_path(session, step_degrees=0.5 + number / REPEATS).frame(12)

        def all_frames(number: int) -> None:
            _ = with_path(session, step_degrees=0.5 + number / REPEATS).strip

        def lens(number: int) -> None:
            with_settings(session, camera=replace(camera, fov=50 + number / 10)).frame(12)

        view = read_view(job.photo, DepthFile(job.depth, "depth"), job.settings, 64)
        arrays = [jnp.asarray(array) for array in (view.picture, view.depth, view.intrinsics)]
        poses = jnp.asarray(session.track.poses, jnp.float32)

        def full_size(number: int) -> None:
            at = number % (len(poses) - 1) + 1
            jax.block_until_ready(forward_warp(*arrays, poses[0], poses[at : at + 1], job.settings.warp))

        size = "x".join(map(str, session.scene.view.depth.shape))
        tell(f"576x1024 with {path.frames or 25} frames, warped at {size}, on {jax.devices()[0].device_kind}")
        for name, once, repeats in (
            ("a slider to the picture", slide, REPEATS),
            ("another lens to the picture", lens, REPEATS),
            ("all frames and their holes", all_frames, REPEATS // 5),
            ("one frame at full size", full_size, REPEATS // 5),
        ):
            median, most = _measured(once, repeats)
            tell(f"{name}: median {median:.0f} ms, 95 % within {most:.0f} ms")


def _measured(once: Callable[[int], None], repeats: int) -> tuple[float, float]:
    once(0)
    once(1)
    taken = []
    for number in range(repeats):
        start = time.perf_counter()
        once(number)
        taken.append(1000 * (time.perf_counter() - start))
    return float(np.median(taken)), float(np.percentile(taken, 95))


if __name__ == "__main__":
    main()
