"""How long the studio takes from a move to the picture: `python -m scripts.bench_studio`.

A procedural scene at 576x1024 on the page as it is served, with no browser: a slider moves after pauses of up to half a
second, as a hand makes them, and the clock stops when the camera's new picture is encoded for the browser. Beside it
another lens, all frames with their holes, and one frame warped at full size. Median and 95th percentile, after warm-up.
"""

import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nvs_jax.geometry import forward_warp
from nvs_jax.inputs.view import DepthFile, read_view
from nvs_jax.models.families import family
from nvs_jax.saying import tell
from nvs_jax.settings.jobs import SingleJob
from nvs_jax.studio.changes import with_camera, with_path
from nvs_jax.studio.example import example_job
from nvs_jax.studio.page import Page
from nvs_jax.studio.scene import open_scene
from nvs_jax.studio.server import serve
from nvs_jax.studio.session import Session

REPEATS = 60
PAUSE = 0.5
"""Seconds between two moves, at most."""
PORT = 8779


def main() -> None:
    """Measure and print a line for each."""
    with TemporaryDirectory() as folder:
        job = example_job(Path(folder), (576, 1024))
        session = Session(open_scene(job, job.settings, family().lattice), job)
        size = "x".join(map(str, session.scene.view.depth.shape))
        tell(f"576x1024 with {session.frames} frames, warped at {size}, on {jax.devices()[0].device_kind}")
        with serve(session, lambda *_: None, "127.0.0.1", PORT) as page:
            shown: SimpleQueue[Session] = SimpleQueue()
            page.fast.insert(1, shown.put)  # after the camera's picture
            page.look_at(12)
            _say("a slider to the picture", _moves(page, shown, with_path, "step_degrees", (0.5, 1.5)))
            _say("another lens to the picture", _moves(page, shown, with_camera, "fov", (50.0, 60.0)))
        _say("all frames and their holes", _repeated(lambda degrees: with_path(session, step_degrees=degrees).strip))
        _say("one frame at full size", _repeated(_full_size(job, session)))


def _moves(
    page: Page, shown: "SimpleQueue[Session]", how: Callable[..., Session], name: str, ends: tuple[float, float]
) -> list[float]:
    """Milliseconds of each move of a slider."""
    draw, taken = np.random.default_rng(0), []
    for value in np.linspace(*ends, REPEATS + 3):
        time.sleep(draw.uniform(0, PAUSE))
        start = time.perf_counter()
        page.change(how, **{name: float(value)})
        while shown.get() is not page.session:
            pass
        taken.append(1000 * (time.perf_counter() - start))
    return taken[3:]


def _repeated(once: Callable[[float], Any]) -> list[float]:
    taken = []
    for value in np.linspace(0.5, 1.5, 2 + REPEATS // 5):
        start = time.perf_counter()
        once(float(value))
        taken.append(1000 * (time.perf_counter() - start))
    return taken[2:]


def _full_size(job: SingleJob, session: Session) -> Callable[[float], Any]:
    view = read_view(job.photo, DepthFile(job.depth, "depth"), job.settings, 64)
    arrays = [jnp.asarray(array) for array in (view.picture, view.depth, view.intrinsics)]

    def warp(degrees: float) -> Any:
        poses = jnp.asarray(with_path(session, step_degrees=degrees).track.poses, jnp.float32)
        return jax.block_until_ready(forward_warp(*arrays, poses[0], poses[12:13], job.settings.warp))

    return warp


def _say(name: str, taken: list[float]) -> None:
    tell(f"{name}: median {np.median(taken):.0f} ms, 95 % within {np.percentile(taken, 95):.0f} ms")


if __name__ == "__main__":
    main()
