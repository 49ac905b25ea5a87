"""The page, on viser: the scene in three dimensions, panels beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import viser
from scipy.spatial.transform import Rotation

from nvs_jax.saying import say
from nvs_jax.studio.keys import centre_of
from nvs_jax.studio.page import Page
from nvs_jax.studio.panels import Looking, camera_panel, depth_panel, keys_panel, path_panel
from nvs_jax.studio.pictures import points_of
from nvs_jax.studio.render_panel import Rendering, Result, render_panel
from nvs_jax.studio.rendering import Renderer, Renders
from nvs_jax.studio.session import Session

GIVEN, PATH, KEY, HERE = (240, 240, 240), (90, 150, 230), (250, 180, 60), (90, 220, 120)
"""Colours of frustums: of given views, frames, key frames, and the frame that is looked at."""
_MOST_FRUSTUMS = 60


@contextmanager
def serve(session: Session, render: Renderer, host: str, port: int, result: Path | None = None) -> Iterator[Page]:
    """A page for everyone at an address, until the block ends; a render that goes on is stopped then.

    Args:
        session: to begin with.
        render: see `nvs_jax.studio.rendering`.
        host: to listen at.
        port: to listen at.
        result: the folder of a video to be shown beside the warps.
    """
    server = viser.ViserServer(host=host, port=port, label="nvs-jax studio", verbose=False)

    def refused(line: str) -> None:
        say(line)
        for client in server.get_clients().values():
            client.add_notification("nvs-jax", line, color="red")

    page, renders, looking = Page(session, refused), Renders(render), Looking()
    server.scene.set_up_direction("-y")
    server.gui.configure_theme(control_width="large", dark_mode=True)
    server.on_client_connect(lambda client: fly_to(client, page.session.track.poses[0], page.session.distance))
    camera_panel(server.gui, page, looking)
    path_panel(server.gui, page)
    keys_panel(server.gui, page, fly_to)
    depth_panel(server.gui, page)
    render_panel(server.gui, page, Rendering(renders, Result(result), looking, refused))
    cameras = Cameras(server)
    page.fast.append(lambda session: cameras.show(session, looking.number))
    page.slow.append(lambda session: show_points(server, session))
    page.begin()
    try:
        yield page
    finally:
        renders.cancel()
        renders.wait()
        page.close()
        server.stop()


def fly_to(client: Any, pose: np.ndarray, distance: float = 1.0) -> None:
    """Move a browser's camera to a world-to-camera pose."""
    pose = np.asarray(pose, np.float64)
    centre = centre_of(pose)
    client.camera.position, client.camera.wxyz = centre, quaternion_of(pose)
    client.camera.look_at = centre + distance * pose[2, :3]


def quaternion_of(pose: np.ndarray) -> np.ndarray:
    """How a camera is turned in the world: (w, x, y, z)."""
    x, y, z, w = Rotation.from_matrix(np.asarray(pose, np.float64)[:3, :3].T).as_quat()
    return np.array([w, x, y, z])


def show_points(server: Any, session: Session) -> None:
    """What the given views show, points at edges left out."""
    points = points_of(session)
    size = float(np.median(np.linalg.norm(points.positions - centre_of(session.track.poses[0]), axis=1))) / 300
    positions = points.positions.astype(np.float32)
    server.scene.add_point_cloud("/points", positions, points.colours, point_size=size, point_shape="square")


class Cameras:
    """Frustums in the scene: of given views, frames, key frames, and the frame that is looked at."""

    def __init__(self, server: Any):
        self._server = server
        self._many: dict[str, int] = {}

    def show(self, session: Session, number: int) -> None:
        """Those of a session."""
        track, sources = session.track, session.scene.sources
        every = slice(None, None, -(-len(track.poses) // _MOST_FRUSTUMS))
        given = track.poses[:1] if sources is None else np.asarray(sources.poses)
        with self._server.atomic():
            self._put(session, "given", given, GIVEN, 1.5)
            self._put(session, "frame", track.poses[every], PATH, 0.6)
            self._put(session, "key", np.reshape(session.keys, (-1, 4, 4)), KEY, 1.2)
            self._put(session, "here", track.poses[[number]], HERE, 1.3)

    def _put(self, session: Session, name: str, poses: np.ndarray, colour: tuple[int, int, int], size: float) -> None:
        height, width = session.scene.view.depth.shape
        focal = float(session.scene.view.intrinsics[1, 1])
        for index, pose in enumerate(poses):
            self._server.scene.add_camera_frustum(
                f"/{name}/{index}",
                fov=float(2 * np.arctan(height / 2 / focal)),
                aspect=width / height,
                scale=0.05 * session.distance * size,
                color=colour,
                wxyz=quaternion_of(pose),
                position=centre_of(np.asarray(pose, np.float64)),
            )
        for index in range(len(poses), self._many.get(name, 0)):
            self._server.scene.remove_by_name(f"/{name}/{index}")
        self._many[name] = len(poses)
