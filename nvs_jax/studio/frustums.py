"""Cameras in the 3-D view: of given views, frames, key frames, and the frame that is looked at."""

from typing import Any

import numpy as np

from nvs_jax.studio.flying import quaternion_of
from nvs_jax.studio.keys import centre_of
from nvs_jax.studio.page import Page, when_new
from nvs_jax.studio.session import Session

GIVEN, PATH, KEY, HERE = (240, 240, 240), (90, 150, 230), (250, 180, 60), (90, 220, 120)
"""Colours of frustums: of given views, frames, key frames, and the frame that is looked at."""
_MOST = 60
"""Of a path."""


class Frustums:
    """Those of a session.

    Args:
        server: of viser's.
        page: whose session and frame are shown.
    """

    def __init__(self, server: Any, page: Page):
        self._server, self._page = server, page
        self._many: dict[str, int] = {}
        page.fast.append(when_new(lambda session: (session,), self.show))
        page.fast.append(when_new(lambda session: (session, page.number), self.show_here))

    def show(self, session: Session) -> None:
        """All but that of the frame that is looked at."""
        track, sources = session.track, session.scene.sources
        every = slice(None, None, -(-len(track.poses) // _MOST))
        given = track.poses[:1] if sources is None else np.asarray(sources.poses)
        with self._server.atomic():
            self._put(session, "given", given, GIVEN, 1.5)
            self._put(session, "frame", track.poses[every], PATH, 0.6)
            self._put(session, "key", np.reshape(session.keys, (-1, 4, 4)), KEY, 1.2)

    def show_here(self, session: Session) -> None:
        """That of the frame that is looked at, with its warp."""
        number = min(self._page.number, len(session.track.poses) - 1)
        self._put(session, "here", session.track.poses[[number]], HERE, 1.8, session.frame(number).pictures[0])

    def _put(
        self,
        session: Session,
        name: str,
        poses: np.ndarray,
        colour: tuple[int, int, int],
        size: float,
        picture: np.ndarray | None = None,
    ) -> None:
        height, width = session.scene.view.depth.shape
        focal = float(session.scene.view.intrinsics[1, 1])
        for index, pose in enumerate(poses):
            self._server.scene.add_camera_frustum(
                f"/{name}/{index}",
                fov=float(2 * np.arctan(height / 2 / focal)),
                aspect=width / height,
                scale=0.05 * session.distance * size,
                color=colour,
                image=picture,
                wxyz=quaternion_of(pose),
                position=centre_of(np.asarray(pose, np.float64)),
            )
        for index in range(len(poses), self._many.get(name, 0)):
            self._server.scene.remove_by_name(f"/{name}/{index}")
        self._many[name] = len(poses)
