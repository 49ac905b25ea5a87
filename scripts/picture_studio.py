"""docs/images/studio*.jpg: the page in a real browser, on a procedural scene: `python -m scripts.picture_studio`.

It drives the system's Chromium by playwright, as `tests/studio/test_browser.py` does.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.studio.browser import Visit, chromium, studio


def main(folder: Path) -> None:
    """Make them."""
    with TemporaryDirectory() as work, studio(Path(work), "--out", "result") as (_, address), chromium() as browser:
        visit = Visit(browser, address)
        visit.enter("frame", 6)
        visit.page.wait_for_timeout(4000)
        visit.page.screenshot(path=folder / "studio.jpg", type="jpeg", quality=80)
        visit.enter("frame", 0)
        visit.press("fly to this frame")
        for right, down in ((-9, 0), (-7, 4), (-7, -4)):
            visit.fly(right, down)
            visit.press("add one here")
        visit.press("Render")
        visit.says("is complete after")
        visit = Visit(browser, address)  # which begins behind the given view
        visit.enter("frame", 6)
        visit.page.wait_for_timeout(4000)
        visit.page.locator("img").last.scroll_into_view_if_needed()
        visit.page.wait_for_timeout(1000)
        visit.page.screenshot(path=folder / "studio-render.jpg", type="jpeg", quality=80)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
