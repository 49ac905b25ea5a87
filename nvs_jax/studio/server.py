"""The page, on viser: the scene in three dimensions, panels beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from nvs_jax.saying import say
from nvs_jax.studio.door import opened
from nvs_jax.studio.flying import behind, fly_to
from nvs_jax.studio.frustums import Frustums
from nvs_jax.studio.page import Page, when_new
from nvs_jax.studio.panels.camera import OwnViews, camera_panel
from nvs_jax.studio.panels.depth import depth_panel
from nvs_jax.studio.panels.keys import keys_panel
from nvs_jax.studio.panels.path import path_panel
from nvs_jax.studio.panels.render import Rendering, Result, render_panel
from nvs_jax.studio.pictures import points_of
from nvs_jax.studio.rendering import Renderer, Renders
from nvs_jax.studio.session import Session

_SHOWN = 10_000
"""Milliseconds that a refusal is shown."""


@contextmanager
def serve(session: Session, render: Renderer, host: str, port: int, result: Path | None = None) -> Iterator[Page]:
    """A page for everyone at an address, until the block ends; a render that goes on is stopped then.

    Args:
        session: to begin with.
        render: see `nvs_jax.studio.rendering`.
        host: to listen at.
        port: to listen at.
        result: the folder of a video to be shown beside the warps.

    Raises:
        InputError: it cannot listen there.
    """
    server = opened(host, port, "nvs-jax studio")

    def refused(line: str) -> None:
        say(line)
        for client in server.get_clients().values():
            client.add_notification("nvs-jax", line, color="red", auto_close=_SHOWN)

    page, renders = Page(session, refused), Renders(render)
    lay_out(server, page, Rendering(renders, Result(result), refused))
    page.begin()
    try:
        yield page
    finally:
        if renders.progress.state == "running":
            say("the render stops when its state is saved")
        renders.cancel()
        renders.wait()
        page.close()
        server.stop()


def lay_out(server: Any, page: Page, rendering: Rendering) -> None:
    """Everything that is on the page."""
    server.scene.set_up_direction("-y")
    # The button that shares the page stays, though nothing comes of it: viser's page breaks when it is taken away.
    server.gui.configure_theme(control_width="large", dark_mode=True)
    camera_panel(server.gui, page)
    path_panel(server.gui, page)
    keys_panel(server.gui, page)
    depth_panel(server.gui, page)
    render_panel(server.gui, page, rendering)
    Frustums(server, page)
    own = OwnViews(page)

    def came(client: Any) -> None:
        distance = page.session.distance
        fly_to(client, behind(page.session.track.poses[0], distance), 1.6 * distance)
        own.add(client)

    server.on_client_connect(came)
    server.on_client_disconnect(own.remove)
    shown = when_new(
        lambda session: (session.scene, session.settings.warp.max_tilt), lambda one: show_points(server, one)
    )
    page.slow.append(shown)


def show_points(server: Any, session: Session) -> None:
    """What the given views show, points at edges left out."""
    points = points_of(session)
    positions = points.positions.astype(np.float32)
    server.scene.add_point_cloud(
        "/points", positions, points.colours, point_size=session.distance / 300, point_shape="square"
    )
