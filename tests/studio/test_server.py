"""The page over viser itself: it starts, says what it shows, does what its widgets ask for, and ends."""

import socket
import threading
import urllib.request
from typing import Any

import numpy as np
import pytest
import viser
import websockets.sync.client
from websockets.typing import Subprotocol

from nvs_jax.media import write_frames
from nvs_jax.studio import server as studio_server
from nvs_jax.studio.changes import add_key, with_path
from nvs_jax.studio.keys import centre_of, posed
from nvs_jax.studio.panels import camera_of
from nvs_jax.studio.server import fly_to, serve
from tests.studio.sessions import photo_session


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


class Recorded:
    """viser's panel, which remembers every widget that is added by its label, or by how many there are."""

    def __init__(self, gui: Any):
        self._gui = gui
        self.widgets: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._gui, name)
        if not name.startswith("add_"):
            return found

        def add(*given: Any, **named: Any) -> Any:
            handle = found(*given, **named)
            label = given[0] if given and isinstance(given[0], str) and given[0] else named.get("label")
            self.widgets[label or f"{name} {len(self.widgets)}"] = handle
            return handle

        return add

    @property
    def text(self) -> str:
        """All that stands on the page in words."""
        return "\n".join(handle.content for name, handle in self.widgets.items() if name.startswith("add_markdown"))


@pytest.fixture
def shown(monkeypatch):
    """The panels of servers as they are made."""
    made: list[Recorded] = []

    class Kept(viser.ViserServer):
        def __init__(self, *given: Any, **named: Any):
            super().__init__(*given, **named)
            made.append(Recorded(self.gui))
            vars(self)["gui"] = made[-1]

    monkeypatch.setattr(studio_server.viser, "ViserServer", Kept)
    return made


def press(button: Any) -> None:
    """What a browser's click does, in the thread of the test."""
    for click in button._impl.update_cb:
        click(viser.GuiEvent(None, None, button))


def test_the_page_is_served_and_its_widgets_change_the_session(tmp_path, shown, capsys):
    session, port = photo_session(tmp_path), free_port()
    with serve(session, lambda job, stop, watch: None, "127.0.0.1", port) as page:
        assert page.wait()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
            assert b"<html" in answer.read(2000)
        widgets = shown[0].widgets
        widgets["step degrees"].value = 2.5
        assert page.session.job.settings.path.step_degrees == 2.5
        widgets["start"].value = 6.0
        widgets["kind"].value = "line"
        assert page.session.job.settings.path.kind == "line"
        assert page.wait()
        assert "--path.kind line" in shown[0].text
        assert "holes, which the model fills" in shown[0].text
        page.change(with_path, kind="orbit")
        assert page.wait()
        assert widgets["kind"].value == "orbit"
        assert not widgets["end"].visible
        given = session.track.poses[0]
        page.change(add_key, posed(given[:3, :3], centre_of(given) + given[0, :3] / 2))
        assert page.wait()
        assert not widgets["radius"].visible
        assert "--path.kind file" in shown[0].text
        before = page.session
        page.change(with_path, radius=(1.0, 1.0))
        assert page.session is before
        assert "key frames have the units" in capsys.readouterr().err
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        pass


def test_two_browsers_see_one_session_and_one_that_leaves_ends_nothing(tmp_path, shown):
    port, going, go = free_port(), threading.Event(), threading.Event()

    def render(job, stop, watch):
        going.set()
        watch.told("sample", 1, 2)
        assert go.wait(20)
        write_frames(job.out / "frames", np.zeros((5, 24, 32, 3), np.float32))

    with serve(photo_session(tmp_path), render, "127.0.0.1", port) as page:
        assert page.wait()
        address, protocols = f"ws://127.0.0.1:{port}", [Subprotocol(f"viser-v{viser.__version__}")]
        connect = websockets.sync.client.connect
        with connect(address, max_size=None, subprotocols=protocols) as one:
            with connect(address, max_size=None, subprotocols=protocols) as other:
                assert len(one.recv(timeout=20)) > 50
                assert len(other.recv(timeout=20)) > 50
            press(shown[0].widgets["Render"])
            assert going.wait(20)
        press(shown[0].widgets["Render"])  # is refused, and changes nothing
        go.set()
        for _ in range(200):
            if "is complete" in shown[0].text:
                break
            threading.Event().wait(0.1)
        assert "out is complete" in shown[0].text
    assert (tmp_path / "out" / "frames" / "004.png").exists()


def test_a_browsers_camera_goes_to_a_pose_and_has_it_then(tmp_path):
    class Client:
        class camera:  # noqa: N801, as viser's
            position = wxyz = look_at = None

    pose = np.asarray(photo_session(tmp_path).track.poses[3], np.float64)
    fly_to(Client, pose)
    np.testing.assert_allclose(camera_of(Client), pose, atol=1e-6)
