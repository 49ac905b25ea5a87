"""The whole page, without viser for every kind of input; and over viser itself, as the command serves it.

That is in a process of its own, as viser leaves its sockets open.
"""

import signal
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
import viser
import websockets.sync.client
from websockets.typing import Subprotocol

from nvs_jax.media import write_picture
from nvs_jax.studio.changes import with_path
from nvs_jax.studio.page import Page
from nvs_jax.studio.panels.render import Rendering, Result
from nvs_jax.studio.rendering import Renders
from nvs_jax.studio.server import lay_out
from tests.studio.browser import free_port
from tests.studio.panes import Browser, Server
from tests.studio.sessions import photo_session, video_session, views_session
from tests.tiny import scene


@pytest.mark.parametrize("kind", ["photo", "disparity", "video", "views", "full-turn"])
def test_every_kind_of_input_has_a_page(tmp_path, kind):
    if kind == "video":
        session = video_session(tmp_path)
    elif kind == "views":
        session = views_session(tmp_path)
    else:
        session = photo_session(tmp_path, "disparity" if kind == "disparity" else "depth")
    if kind == "full-turn":
        session = with_path(session, kind="full-turn", frames=9)
    server, page = Server(), Page(session, pytest.fail)
    lay_out(server, page, Rendering(Renders(lambda *_: None), Result(), pytest.fail))
    browser = Browser(np.asarray(session.track.poses[0], np.float64))
    for call in server.comes.called:
        call(browser)
    page.begin()
    assert page.wait()
    page.look_at(2)
    assert page.wait()
    assert "holes, which the model fills" in server.gui.text
    assert "nvs-jax " in server.gui.text
    assert len(server.scene.there["/points"].points) > 200
    assert len(server.scene.names("given")) == (2 if kind == "views" else 1)
    assert server.gui["kind"].visible == (kind != "views")
    assert browser.gui["from where you are"].image.max() > 0
    page.close()


def ask(port: int, head: str) -> str:
    """What a server on the loopback answers."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as asking:
        asking.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        return asking.recv(2000).decode(errors="replace")


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_two_browsers_until_it_is_told_to_stop(tmp_path, told):
    picture, depth = (np.kron(part, np.ones((4, 4) + (1,) * (part.ndim - 2), np.float32)) for part in scene())
    write_picture(tmp_path / "photo.png", picture)
    np.save(tmp_path / "depth.npy", depth)
    port = free_port()
    line = [str(tmp_path / "photo.png"), "--depth", str(tmp_path / "depth.npy"), "--depth-kind", "depth"]
    line += ["--out", str(tmp_path / "out"), "--port", str(port)]
    command = [sys.executable, "-m", "nvs_jax", "studio", *line]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as page:
        try:
            assert page.stdout is not None
            assert page.stdout.readline().strip() == f"http://localhost:{port}"
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
                assert b"<html" in answer.read(2000)
            assert "403" in ask(port, "GET /../../../../../../../../etc/hosts HTTP/1.1\nHost: localhost")
            upgrade = "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13"
            key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
            asked = f"GET / HTTP/1.1\nHost: localhost:{port}\n{upgrade}\n{key}\n"
            assert "403" in ask(port, asked + "Origin: https://example.com")
            protocols = [Subprotocol(f"viser-v{viser.__version__}")]
            address = f"ws://127.0.0.1:{port}"
            with websockets.sync.client.connect(address, max_size=None, subprotocols=protocols) as one:
                with websockets.sync.client.connect(address, max_size=None, subprotocols=protocols) as other:
                    assert one.recv(timeout=20)
                    assert other.recv(timeout=20)
                assert one.recv(timeout=20)  # goes on, though the other one left
            time.sleep(0.2)
            page.send_signal(told)
            rest, noise = page.communicate(timeout=60)
            assert (page.returncode, rest) == (0, "")
            assert not [line for line in noise.splitlines() if "Error" in line or "FATAL" in line]
        finally:
            page.kill()
    assert not (tmp_path / "out").exists()
