"""The page over viser itself, as the command serves it; in a process of its own, as viser leaves its sockets open."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import viser
import websockets.sync.client
from websockets.typing import Subprotocol

from nvs_jax.media import write_picture
from tests.tiny import scene


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def test_the_command_serves_two_browsers_until_it_is_told_to_stop(tmp_path):
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
            said = ""
            for said in page.stdout:
                if said.startswith("http"):
                    break
            assert said.strip() == f"http://localhost:{port}"
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
                assert b"<html" in answer.read(2000)
            protocols = [Subprotocol(f"viser-v{viser.__version__}")]
            address = f"ws://127.0.0.1:{port}"
            with websockets.sync.client.connect(address, max_size=None, subprotocols=protocols) as one:
                with websockets.sync.client.connect(address, max_size=None, subprotocols=protocols) as other:
                    assert one.recv(timeout=20)
                    assert other.recv(timeout=20)
                assert one.recv(timeout=20)  # goes on, though the other one left
            time.sleep(0.2)
            page.send_signal(signal.SIGTERM)
            assert page.wait(30) == 0
        finally:
            page.kill()
    assert not (tmp_path / "out").exists()
