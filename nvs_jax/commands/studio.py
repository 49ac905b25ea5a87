"""`nvs-jax studio`: a page in the browser until the command is stopped."""

import importlib.util
import socket
import threading
from dataclasses import dataclass, field, replace

from nvs_jax.commands.loaded import LastLoaded, Loader
from nvs_jax.commands.render import run_render
from nvs_jax.errors import InputError
from nvs_jax.pipeline import override
from nvs_jax.runs.latent_colours import Colours
from nvs_jax.runs.stopping import StopRequest, stop_on_signals
from nvs_jax.saying import say, tell
from nvs_jax.settings.jobs import RenderJob, StudioJob
from nvs_jax.studio.beforehand import lattice_of
from nvs_jax.studio.door import is_loopback
from nvs_jax.studio.opening import job_of
from nvs_jax.studio.scene import open_scene
from nvs_jax.studio.session import Session
from nvs_jax.studio.watching import Watch, Watched

_ASKED = 0.2
"""Seconds between two looks at whether to stop."""


def run_studio(job: StudioJob) -> None:
    """Serve the page until Ctrl-C or a signal; a render that goes on is stopped, and can be continued.

    Raises:
        InputError: viser is not installed, the port is taken, or the inputs cannot be read.
    """
    if importlib.util.find_spec("viser") is None:
        raise InputError("the studio needs viser, which is not installed: pip install 'nvs-jax[studio]'")
    check_address(job.host, job.port)
    session = open_session(job)
    from nvs_jax.studio.server import serve

    with stop_on_signals() as stop, serve(session, Loaded().render, job.host, job.port, job.source):
        tell(f"http://{'localhost' if is_loopback(job.host) else job.host}:{job.port}")
        wait_for(stop)


def open_session(job: StudioJob) -> Session:
    """What the studio begins with.

    Raises:
        InputError: inputs or weights that cannot be had.
    """
    render = job_of(job)
    settings = override(render.settings, render.method, render.steps)
    return Session(open_scene(render, settings, lattice_of(render.weights)), render)


def check_address(host: str, port: int) -> None:
    """Refuse an address that cannot be listened at, and say what one other than the loopback means.

    Raises:
        InputError: the port is taken, or the host is not one of this machine's.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot listen at {host}:{port} ({reason}): choose another --port or --host") from None
    if not is_loopback(host):
        say(
            f"--host {host}: everyone who reaches this machine's port {port} sees the pictures, reads and writes files "
            "by the page, and can render; there is no password and no encryption"
        )


def wait_for(stop: StopRequest) -> None:
    """Until somebody asks to stop."""
    asleep = threading.Event()
    try:
        while not stop.wanted:
            asleep.wait(_ASKED)
    except KeyboardInterrupt:
        say("stopping")


@dataclass
class Loaded:
    """The pipeline of the last render: another one with the same weights need not read them again."""

    last: LastLoaded = field(default_factory=LastLoaded)
    colours: list[Colours] = field(default_factory=list)

    def render(self, job: RenderJob, stop: StopRequest, watch: Watch) -> None:
        """Render into the job's folder; see `nvs_jax.studio.rendering.Renderer`."""

        def load(job: RenderJob) -> Watched:
            if not self.last.holds(job):
                self.colours = []
            # A second network on the device is what low memory is there to avoid.
            seen = replace(watch, preview=None) if job.low_memory else watch
            return Watched(self.last.load(job), seen, self.colours)

        run_render(job, stop, Loader(self.last.describe, load))
