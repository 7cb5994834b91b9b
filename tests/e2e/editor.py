"""Label Studio's editor in a real Chromium, driven by mouse and keyboard."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page, Response, sync_playwright

from demo.label_studio import EMAIL, PASSWORD

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
INTERACTIVE = "interactive-annotating"
PAUSE_MS = 1000
"""Between clicks, as a person would; the editor drops faster ones."""


class Editor:
    """One annotator at one task."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self._url = url

    def log_in(self) -> None:
        """Log in with the user that the test server was started with."""
        self.page.goto(f"{self._url}/user/login")
        self.page.fill("input[name=email]", EMAIL)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(lambda url: "login" not in url)

    def open(self, project: int, task: int) -> None:
        """Open a task, switch auto-annotation on and pick the smart tool."""
        self.page.goto(f"{self._url}/projects/{project}/data?task={task}")
        self.page.wait_for_selector(".lsf-label")
        self.page.wait_for_selector("canvas")
        self.page.wait_for_timeout(PAUSE_MS)
        self._button("auto-annotation-toggle").click(force=True)
        self.page.wait_for_timeout(PAUSE_MS)
        self.page.locator(".lsf-tool").last.click()  # the smart tool: the pink dots
        self.page.wait_for_timeout(PAUSE_MS)

    def click(self, x: float, y: float, *, keys: Sequence[str] = ()) -> dict[str, Any]:
        """Pick the keypoint label, click at x, y (0 to 1), await the answer.

        Args:
            x: of the picture's width.
            y: of its height.
            keys: held meanwhile: Alt for a negative click, Control to click on an accepted mask.
        """
        self.page.locator(".lsf-label").first.click()
        self.page.wait_for_timeout(PAUSE_MS)
        canvas = self.page.locator("canvas").first.bounding_box()
        assert canvas is not None
        with self.page.expect_response(lambda r: INTERACTIVE in r.url, timeout=30_000) as answer:
            for key in keys:
                self.page.keyboard.down(key)
            self.page.mouse.click(
                canvas["x"] + x * canvas["width"], canvas["y"] + y * canvas["height"]
            )
            for key in keys:
                self.page.keyboard.up(key)
        self.page.wait_for_timeout(PAUSE_MS)
        response: Response = answer.value
        body: dict[str, Any] = response.json()
        return body

    def accept(self) -> None:
        """Accept the suggestion with the tick below the picture."""
        self._button("accept-suggestions-button").click()
        self.page.wait_for_timeout(PAUSE_MS)

    def submit(self) -> None:
        """Submit the annotation and wait until Label Studio has it."""
        with self.page.expect_response(
            lambda r: "/annotations" in r.url and r.request.method == "POST"
        ):
            self._button("submit-button").click()
        self.page.wait_for_timeout(PAUSE_MS)

    def count(self, what: Literal["regions", "suggestions"]) -> int:
        """How many regions, or suggestions not yet accepted, the editor holds."""
        size = "length" if what == "regions" else "size"
        script = f"() => window.Htx.annotationStore.selected.{what}.{size}"
        return int(self.page.evaluate(script))

    def screenshot(self, path: Path) -> None:
        """Keep what the annotator sees."""
        self.page.screenshot(path=path)

    def _button(self, name: str) -> Any:
        return self.page.locator(f"[data-testid=bottombar-{name}]")


@contextlib.contextmanager
def open_editor(chromium: str, url: str) -> Iterator[Editor]:
    """Start Chromium and log in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        try:
            page = browser.new_page(viewport={"width": 1500, "height": 1150})
            page.set_default_timeout(60_000)
            editor = Editor(page, url)
            editor.log_in()
            yield editor
        finally:
            browser.close()
