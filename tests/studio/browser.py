"""The studio in a real browser: the command, Debian's Chromium, and what somebody does with the mouse."""

import hashlib
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_SECONDS = 120.0
"""That anything on the page may take: compilation on a busy machine is the longest."""

HERE = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
"""Environment in which this package is found from any folder."""


def free_port() -> int:
    """A port nobody listens at."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


@contextmanager
def studio(folder: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """`nvs-jax studio` in a folder, until the block ends; the process, and its address."""
    port = free_port()
    line = [sys.executable, "-m", "nvs_jax", "studio", "--port", str(port), *options]
    with (
        (folder / "said.txt").open("w") as said,
        subprocess.Popen(line, cwd=folder, env=HERE, stdout=subprocess.PIPE, stderr=said, text=True) as page,
    ):
        try:
            assert page.stdout is not None
            assert page.stdout.readline().strip() == f"http://localhost:{port}", (folder / "said.txt").read_text()
            yield page, f"http://localhost:{port}"
        finally:
            page.terminate()
            page.communicate(timeout=_SECONDS)
            assert page.returncode == 0, (folder / "said.txt").read_text()


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; there is none: one line says what to install."""
    where = shutil.which("chromium")
    if where is None:
        pytest.fail("there is no chromium: apt-get install chromium", pytrace=False)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        browser = playwright.chromium.launch(executable_path=where, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """Somebody at the page.

    Args:
        browser: see `chromium`.
        address: of the page.
    """

    def __init__(self, browser: Any, address: str):
        self.page = browser.new_page(viewport={"width": 1100, "height": 800})
        self.page.set_default_timeout(1000 * _SECONDS)
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.goto(address)
        self.page.get_by_text("along the path").wait_for()
        self.page.wait_for_timeout(2000)

    def fly(self, right: int, down: int = 0) -> None:
        """Drag the 3-D view."""
        mouse = self.page.mouse
        mouse.move(400, 450)
        mouse.down()
        for step in range(1, 9):
            mouse.move(400 + right * step / 8, 450 + down * step / 8)
        mouse.up()
        self.page.wait_for_timeout(1500)  # the view glides on for a moment

    def press(self, label: str) -> None:
        """A button."""
        self.page.get_by_role("button", name=label, exact=True).click()

    def enter(self, label: str, value: object) -> None:
        """A number or a text beside a label."""
        self.field(label).fill(str(value))

    def field(self, label: str) -> Any:
        """What is beside a label; of a slider, the number."""
        row = self.page.locator(f'xpath=//label[normalize-space()="{label}"]/ancestor::div[2]').last
        return row.locator("input:not([type=hidden])").last

    def picture(self, label: str) -> str:
        """What the picture under a label shows, as a checksum."""
        image = self.page.locator(f'xpath=//*[normalize-space(text())="{label}"]/following-sibling::img').last
        script = "async image => Array.from(new Uint8Array(await (await fetch(image.src)).arrayBuffer()))"
        return hashlib.sha256(bytes(image.evaluate(script))).hexdigest()

    def until_other(self, label: str, before: str) -> str:
        """The picture under a label when it is another one."""
        for _ in range(int(_SECONDS * 4)):
            now = self.picture(label)
            if now != before:
                return now
            self.page.wait_for_timeout(250)
        raise AssertionError(f"the picture {label} stays as it was")

    def says(self, text: "str | re.Pattern[str]") -> None:
        """Wait until it stands on the page."""
        self.page.get_by_text(text).first.wait_for()

    @property
    def command(self) -> list[str]:
        """The command that is shown."""
        shown = self.page.locator("pre", has_text="nvs-jax").first.inner_text()
        return shlex.split(shown)[1:]
