import socket
import threading

import nvs_jax.runs.relay
from nvs_jax.runs.relay import relay


def reach(address: str) -> socket.socket:
    host, _, port = address.partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def test_what_is_sent_arrives_on_both_sides():
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = reach(relay(f"127.0.0.1:{server.getsockname()[1]}", lambda: None))
        far, _ = server.accept()
        near.sendall(b"question")
        assert far.recv(100) == b"question"
        far.sendall(b"answer")
        assert near.recv(100) == b"answer"
        near.close()
        assert far.recv(100) == b""
        far.close()


def test_this_end_stays_open_when_the_other_process_is_gone(monkeypatch):
    monkeypatch.setattr(nvs_jax.runs.relay, "_DYING", 0.01)
    lost = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))
    near = reach(relay(f"127.0.0.1:{server.getsockname()[1]}", lost.set))
    far, _ = server.accept()
    server.close()
    far.close()
    assert lost.wait(10)
    near.settimeout(0.1)
    for _ in range(3):
        near.sendall(b"is anybody there?")
    try:
        closed = near.recv(100) == b""
    except TimeoutError:
        closed = False
    assert not closed
    near.close()


def test_a_connection_that_was_lost_alone_is_closed_so_that_it_is_made_anew(monkeypatch):
    monkeypatch.setattr(nvs_jax.runs.relay, "_DYING", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = reach(relay(f"127.0.0.1:{server.getsockname()[1]}", lambda: None))
        server.accept()[0].close()
        assert near.recv(100) == b""
        near.close()
