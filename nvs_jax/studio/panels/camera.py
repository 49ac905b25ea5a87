"""What the camera sees: one frame, all of them, their holes, and what a browser's own camera would see."""

import threading
import time
from typing import Any

import numpy as np

from nvs_jax.studio.flying import fly_to, pose_of
from nvs_jax.studio.page import Page, when_new
from nvs_jax.studio.pictures import curve, enlarged, strip_of
from nvs_jax.studio.session import Session
from nvs_jax.studio.warps import mostly_invented, spans


def camera_panel(gui: Any, page: Page) -> None:
    """The camera's own picture, a slider along the path, the curve of holes and the strip of frames."""
    blank = np.zeros((*page.session.scene.view.depth.shape, 3), np.uint8)
    with gui.add_folder("Camera"):
        slider = gui.add_slider("frame", min=0, max=page.session.frames - 1, step=1, initial_value=0)
        live, play = gui.add_image(blank, label="warp"), gui.add_button("play")
        there = gui.add_button("fly to this frame")
        holes = gui.add_image(curve(np.zeros(page.session.frames), 0), label="holes by frame")
        strip = gui.add_image(blank, label="along the path")
        words = gui.add_markdown("")
    command = gui.add_markdown("")
    playing = threading.Event()

    @slider.on_update
    def _(_: Any) -> None:
        if page.number != slider.value:
            page.look_at(int(slider.value))

    @play.on_click
    def _(_: Any) -> None:
        if playing.is_set():
            playing.clear()
            return
        playing.set()
        for number in range(len(page.session.track.poses)):
            if page.closed or not playing.is_set():
                break
            slider.value = number
            time.sleep(1 / page.session.settings.conditioning.fps)
        playing.clear()

    @there.on_click
    def _(event: Any) -> None:
        fly_to(event.client, page.session.track.poses[page.number], page.session.distance)

    def show_frame(session: Session) -> None:
        last = len(session.track.poses) - 1
        page.number = min(page.number, last)
        if slider.max != last:
            slider.value, slider.max = page.number, last
        live.image = enlarged(session.frame(page.number).pictures[0])

    def show_command(session: Session) -> None:
        command.content = f"The command that renders this:\n```\n{session.command}\n```"

    def show_all(session: Session) -> None:
        seen = session.strip
        strip.image = strip_of(seen.pictures)
        many = mostly_invented(seen.shares)
        marked = f"more than half is invented in frames {spans(many)}" if many else "no frame is mostly invented"
        words.content = "\n\n".join([*session.about, marked])

    def show_curve(session: Session) -> None:
        holes.image = curve(session.strip.shares, page.number)

    page.fast += [
        when_new(lambda session: (session, page.number), show_frame),
        when_new(lambda session: (session,), show_command),
    ]
    page.slow += [
        lambda session: session.strip_in_pieces(),
        when_new(lambda session: (session,), show_all),
        when_new(lambda session: (session, page.number), show_curve),
    ]


class OwnViews:
    """What each browser's own camera would see, while it flies.

    Args:
        page: whose session is seen.
    """

    def __init__(self, page: Page):
        self._page = page
        self._views: dict[int, tuple[Any, Any]] = {}
        page.fast.append(self.show)

    def add(self, client: Any) -> None:
        """A browser that has come."""
        shape = self._page.session.scene.view.depth.shape
        image = client.gui.add_image(np.zeros((*shape, 3), np.uint8), label="from where you are", order=-1)

        def seen(session: Session) -> None:
            image.image = enlarged(session.seen_from(pose_of(client.camera)).pictures[0])

        def where(session: Session) -> tuple[Any, ...]:
            return (session, *map(float, client.camera.position), *map(float, client.camera.wxyz))

        self._views[client.client_id] = client, when_new(where, seen)
        client.camera.on_update(lambda _: self._page.refresh())
        self._page.refresh()

    def remove(self, client: Any) -> None:
        """A browser that has gone."""
        self._views.pop(client.client_id, None)

    def show(self, session: Session) -> None:
        """What each of them sees now."""
        for _, told in list(self._views.values()):
            for _ in told(session) or ():
                pass
