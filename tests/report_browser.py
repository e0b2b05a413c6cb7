"""Fixtures that open results reports in a headless Chromium.

A conftest or a test imports ``browser`` and ``open_page``.
"""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("there is no Chromium on this machine (apt install chromium)")
    with playwright.sync_playwright() as tools:
        chromium = tools.chromium.launch(executable_path=program, args=list(FLAGS))
        yield chromium
        chromium.close()


class Opened:
    """A report in the browser."""

    def __init__(self, page):
        self.page = page
        self.allowed = ["willReadFrequently"]  # parts of messages; this one is of `pixel`

    def frame(self, index):
        """Wait until a frame is drawn."""
        self.page.wait_for_selector(f'#frame[data-frame="{index}"]')

    def pixel(self, x, y):
        """Colour of the canvas at a point of the frame in pixels, RGB."""
        return tuple(
            self.page.evaluate(
                """([x, y]) => {
                  const c = document.getElementById("frame"), s = Number(c.dataset.scale);
                  const [left, top] = [Number(c.dataset.x), Number(c.dataset.y)];
                  const at = [Math.round((x - left) * s), Math.round((y - top) * s), 1, 1];
                  return Array.from(c.getContext("2d").getImageData(...at).data).slice(0, 3);
                }""",
                [x, y],
            )
        )

    def go(self, index):
        """Scrub to a frame as a user does."""
        self.page.locator("#scrubber").fill(str(index))
        self.frame(index)

    def drawn(self):
        """Number of boxes on the canvas."""
        self.settle()
        return int(self.page.locator("#frame").get_attribute("data-boxes"))

    def settle(self):
        """Let pending drawing happen."""
        self.page.evaluate("() => new Promise((done) => setTimeout(done, 30))")

    def selection(self):
        """What is said of the selected track."""
        return self.page.locator("#selection").inner_text()

    def count(self, kind):
        """Number of errors of a kind in the line below the frame."""
        return int(self.page.locator(f'#counts [data-kind="{kind}"]').inner_text().split()[0])


@pytest.fixture
def open_page(browser):
    """Open an HTML file; fails the test afterwards on errors or requests for anything else."""
    pages = []

    def open_file(path, width=1100, height=800, *, fragment="", frame=0, **options):
        page = browser.new_page(viewport={"width": width, "height": height}, **options)
        seen = SimpleNamespace(page=page, requests=[], problems=[], opened=None)
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("pageerror", lambda error: seen.problems.append(str(error)))
        page.on("console", lambda message: seen.problems.append(message.text))
        pages.append(seen)
        page.goto(path.as_uri() + fragment)
        opened = seen.opened = Opened(page)
        opened.frame(frame)
        return opened

    yield open_file
    for seen in pages:
        others = [url for url in seen.requests[1:] if not url.startswith("data:")]
        problems = [p for p in seen.problems if not any(a in p for a in seen.opened.allowed)]
        seen.page.close()
        assert (problems, others) == ([], [])
