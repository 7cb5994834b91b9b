"""Label Studio's editor in a real Chromium, driven by mouse and keyboard."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, Request, Response, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from demo.label_studio import EMAIL, PASSWORD

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # These save a quarter of what opening a task costs.
    "--in-process-gpu",
    "--num-raster-threads=1",
    "--disable-smooth-scrolling",
    "--disable-extensions",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
]
COLLEAGUE = "colleague@example.com"

INTERACTIVE = "interactive-annotating"
DRAFT_MS = 6500
PAUSE_MS = 1000
"""Between clicks, as a person would; the editor drops faster ones."""

PATIENCE_MS = 180_000
"""For what must come; a busy machine takes a minute to draw two hundred masks."""


_TICK = """() => {
  for (const stage of window.Konva.stages) {
    const pill = stage.findOne(n => n.getClassName() === "Rect" && n.cornerRadius() === 16
      && n.width() === 64 && n.height() === 32);
    if (pill) {
      const box = stage.content.getBoundingClientRect(), at = pill.getClientRect();
      return [box.left + at.x + at.width * 0.75, box.top + at.y + at.height / 2];
    }
  }
  return null;
}"""
"""The right half of the pill with a cross and a tick that the editor draws beside a suggestion."""


_CROSSES = """() => window.Konva.stages.flatMap(stage => {
  const box = stage.content.getBoundingClientRect();
  return stage.find(n => n.getClassName() === "Rect" && n.cornerRadius() === 16
    && n.width() === 64 && n.height() === 32).map(pill => {
      const at = pill.getClientRect();
      return [box.left + at.x + at.width * 0.25, box.top + at.y + at.height / 2];
    });
})"""
"""The left half of each such pill."""


_NOTE_PRESSES = """window.presses = [];
window.addEventListener("mousedown", e => window.presses.push([e.clientX, e.clientY]), true);"""

_CLICKS_HAVE_LABELS = """() => [...window.Htx.annotationStore.selected.names.values()]
  .some(tag => tag.type === "keypointlabels" || tag.type === "labels")"""


class Editor:
    """One annotator at one task."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.last_request: dict[str, Any] = {}
        self.requests_without_points = 0
        self.exchanges: list[Request | Response] = []
        page.add_init_script(_NOTE_PRESSES)
        page.on("request", self._count)
        page.on("response", self._keep)

    def log_in(self, email: str = EMAIL) -> None:
        """Log in: as the user that the test server was started with, or as a new one."""
        page = "login" if email == EMAIL else "signup"
        self.page.goto(f"{self.url}/user/{page}")
        self.page.fill("input[name=email]", email)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(lambda url: page not in url)

    def in_another_browser(self) -> Editor:
        """The same user in a browser that remembers nothing; closed with this one."""
        browser = self.page.context.browser
        assert browser is not None
        editor = _first_page(browser, self.url)
        editor.log_in()
        return editor

    def open(self, project: int, task: int, *, auto_accept: bool = False) -> None:
        """Open a task, switch auto-annotation on and pick the smart tool."""
        self._open(f"/projects/{project}/data?task={task}", auto_accept=auto_accept)

    def open_stream(self, project: int, *, auto_accept: bool = False) -> None:
        """Press *Label All Tasks*, as it were: the next task that is for this annotator."""
        self._open(f"/projects/{project}/data?labeling=1", auto_accept=auto_accept)

    def _open(self, path: str, *, auto_accept: bool) -> None:
        self.page.goto(f"{self.url}{path}")
        self.page.wait_for_selector(".lsf-label")
        self.page.wait_for_selector("canvas")
        self.page.wait_for_timeout(PAUSE_MS)
        self._switch("auto-annotation-toggle", "autoAnnotation", wanted=True)
        self._switch("auto-accept-toggle", "autoAcceptSuggestions", wanted=auto_accept)
        tool = self.page.locator(".lsf-tool_smart").first
        if "lsf-tool_active" not in (tool.get_attribute("class") or ""):  # it is remembered, too
            tool.click()
        self.page.locator(".lsf-tool_smart.lsf-tool_active").first.wait_for()
        self.page.wait_for_timeout(PAUSE_MS)

    def click(
        self,
        x: float,
        y: float,
        *,
        keys: Sequence[str] = (),
        labels: Sequence[int] | None = None,
    ) -> dict[str, Any]:
        """Pick a label, click at x, y (0 to 1), await the answer.

        Args:
            x: of the image's width.
            y: of its height.
            keys: held meanwhile: Alt for a negative click, Control to click on an accepted mask.
            labels: which, by their place on the page; by default the first, if clicks have labels.
        """
        return self.click_on_page(*self.place(x, y), keys=keys, labels=labels)

    def click_on_page(
        self, x: float, y: float, *, keys: Sequence[str] = (), labels: Sequence[int] | None = None
    ) -> dict[str, Any]:
        """Like :meth:`click`, at x, y of the page."""
        if labels is None:
            labels = (0,) if self.page.evaluate(_CLICKS_HAVE_LABELS) else ()
        for label in labels:
            tag = self.page.locator(".lsf-label").nth(label)
            if "lsf-label_selected" not in (tag.get_attribute("class") or ""):
                tag.click()
        self.page.wait_for_timeout(PAUSE_MS)
        with self.page.expect_response(lambda r: INTERACTIVE in r.url) as answer:
            for key in keys:
                self.page.keyboard.down(key)
            self.page.mouse.click(x, y)
            for key in keys:
                self.page.keyboard.up(key)
        self.page.wait_for_timeout(PAUSE_MS)
        return self._note(answer.value)

    def sends_nothing(self, x: float, y: float) -> bool:
        """Whether a click at x, y (0 to 1) asks the backend nothing."""
        asked: list[str] = []
        self.page.on("request", lambda request: asked.append(request.url))
        self.page.mouse.click(*self.place(x, y))
        self.page.wait_for_timeout(2 * PAUSE_MS)
        return not any(INTERACTIVE in url for url in asked)

    def click_quickly(
        self, places: Sequence[tuple[float, float]], pause_ms: float, *, keys: Sequence[str] = ()
    ) -> None:
        """Click at each place (0 to 1), not awaiting answers; with a label, press its key first.

        Args:
            places: x of the image's width, y of its height.
            pause_ms: From one click to the next.
            keys: held at each click.
        """
        left, top = self.place(0, 0)
        right, bottom = self.place(1, 1)
        labelled = self.page.evaluate(_CLICKS_HAVE_LABELS)
        due = time.monotonic()
        for x, y in places:
            self.page.wait_for_timeout(max(due - time.monotonic(), 0) * 1000)
            due += pause_ms / 1000
            if labelled:
                self.page.keyboard.press("1")
            for key in keys:
                self.page.keyboard.down(key)
            self.page.mouse.click(left + x * (right - left), top + y * (bottom - top))
            for key in keys:
                self.page.keyboard.up(key)

    def wait_for_answers(self) -> None:
        """Wait until every click under auto-accept has its answer, and its point is gone."""
        script = """() => window.Htx.annotationStore.selected.regions
            .every(r => !r.type.startsWith("keypoint"))"""
        self.page.wait_for_timeout(PAUSE_MS)
        try:
            self.page.wait_for_function(script)
        except PlaywrightTimeoutError:
            said = "\n".join(map(_said, self.exchanges[-12:]))
            raise AssertionError(f"a point is left in the editor after:\n{said}") from None

    def _count(self, request: Request) -> None:
        """Count what asks for nothing.

        An answer that auto-accept accepts takes all points away, one that was set meanwhile and is
        about to be sent among them. Label Studio then sends a request without it, and the click is
        lost before any backend hears of it.
        """
        if INTERACTIVE in request.url:
            body: dict[str, Any] = request.post_data_json or {}
            self.requests_without_points += not body["context"]["result"]
            self.exchanges.append(request)

    def _keep(self, response: Response) -> None:
        if INTERACTIVE in response.url:
            self.exchanges.append(response)

    def draw_box(self, left: float, top: float, right: float, bottom: float) -> dict[str, Any]:
        """Pick the smart rectangle, press and drag (0 to 1), await the answer."""
        self.pick_tool("rectangle-tool")
        with self.page.expect_response(lambda r: INTERACTIVE in r.url) as answer:
            self.page.mouse.move(*self.place(left, top))
            self.page.wait_for_timeout(PAUSE_MS // 3)
            self.page.mouse.down()
            self.page.wait_for_timeout(PAUSE_MS // 3)
            self.page.mouse.move(*self.place(right, bottom), steps=12)
            self.page.wait_for_timeout(PAUSE_MS // 3)
            self.page.mouse.up()
        self.page.wait_for_timeout(PAUSE_MS)
        return self._note(answer.value)

    def pick_tool(self, name: Literal["key-point-tool", "rectangle-tool"], number: int = 0) -> None:
        """Pick one of several smart tools from the menu beside the smart tool's icon.

        Args:
            name: What the tool draws.
            number: Which of those with that name.
        """
        self.page.locator(".lsf-tool_smart").first.hover()
        self.page.wait_for_timeout(PAUSE_MS)
        self.page.locator(f".lsf-tool_smart[aria-label={name}]").nth(number).click()
        self.page.wait_for_timeout(PAUSE_MS // 2)

    def turn_to(self, page: int) -> None:
        """Show another image of the task, by the number above it; ``page`` counts from 0."""
        self.page.locator(".lsf-pagination__page-indicator").click()
        field = self.page.locator(".lsf-pagination__input input")
        field.fill(str(page + 1))
        field.press("Enter")
        shown = f"""() => [...window.Htx.annotationStore.selected.names.values()]
            .some(tag => tag.type === "image" && tag.currentImage === {page})"""
        self.page.wait_for_function(shown)
        self.page.wait_for_timeout(PAUSE_MS)

    def accept_on_canvas(self) -> None:
        """Accept the suggestion with the tick that hovers over the image."""
        # Konva draws the tick: its place is asked from the stage, the click is the mouse's.
        x, y = self.page.evaluate(_TICK)
        self.page.mouse.move(x, y)
        self.page.wait_for_timeout(PAUSE_MS // 2)
        self.page.mouse.click(x, y)
        self.page.wait_for_timeout(PAUSE_MS)

    def reject_on_canvas(self, x: float, y: float) -> None:
        """Reject the suggestion whose cross on the image is nearest to x, y (0 to 1)."""
        at = self.place(x, y)
        cross = min(self.page.evaluate(_CROSSES), key=lambda place: math.dist(place, at))
        self.page.mouse.move(*cross)
        self.page.wait_for_timeout(PAUSE_MS // 2)
        self.page.mouse.click(*cross)
        self.page.wait_for_timeout(PAUSE_MS)

    def erase(self, x: float, y: float) -> None:
        """Select the region at x, y of the page and erase a dot of it there by hand."""
        self.page.mouse.click(x, y)
        self.page.wait_for_timeout(PAUSE_MS)
        self.page.locator("[aria-label=eraser]").click()
        self.page.wait_for_timeout(PAUSE_MS // 2)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + 3, y + 3, steps=3)
        self.page.mouse.up()
        self.page.keyboard.press("Escape")
        self.page.wait_for_timeout(PAUSE_MS)

    def wait_for_draft(self) -> None:
        """Wait until Label Studio has saved the draft, which takes up to five seconds."""
        self.page.wait_for_timeout(DRAFT_MS)

    def accept(self) -> None:
        """Accept the suggestion with the tick below the image."""
        self._button("accept-suggestions-button").click()
        self.page.wait_for_timeout(PAUSE_MS)

    def reject(self) -> None:
        """Reject the suggestion with the cross below the image."""
        self._button("reject-suggestions-button").click()
        self.page.wait_for_timeout(PAUSE_MS // 2)

    def undo(self) -> None:
        """Press Ctrl+Z."""
        self.page.keyboard.press("Control+z")
        self.page.wait_for_timeout(PAUSE_MS // 2)

    def delete(self, x: float, y: float) -> None:
        """Click on a mask at x, y (0 to 1), which selects it, and press Backspace."""
        self.page.mouse.click(*self.place(x, y))
        self.page.wait_for_timeout(PAUSE_MS // 2)
        self.page.keyboard.press("Backspace")
        self.page.wait_for_timeout(PAUSE_MS // 2)

    def submit(self) -> None:
        """Submit the annotation and wait until Label Studio has it."""
        with self.page.expect_response(
            lambda r: "/annotations" in r.url and r.request.method == "POST"
        ):
            self._button("submit-button").click()
        self.page.wait_for_timeout(PAUSE_MS)

    def count(self, what: Literal["regions", "selectedRegions", "suggestions"]) -> int:
        """How many regions, selected ones, or suggestions not yet accepted, the editor holds."""
        size = "size" if what == "suggestions" else "length"
        script = f"() => window.Htx.annotationStore.selected.{what}.{size}"
        return int(self.page.evaluate(script))

    def screenshot(self, path: Path) -> None:
        """Keep what the annotator sees."""
        self.page.screenshot(path=path)

    def picture(self, *, panels: bool = False) -> bytes:
        """A screenshot of the labels, the image and the toolbar.

        Args:
            panels: Whether what is beside and below them is shown, too.
        """
        self.page.mouse.move(2, 2)
        boxes = [
            box
            for part in (".lsf-label", ".lsf-image", ".lsf-toolbar")
            for each in self.page.locator(part).all()
            if (box := each.bounding_box()) is not None
        ]
        left, top = (min(box[side] for box in boxes) - 8 for side in ("x", "y"))
        right = max(box["x"] + box["width"] for box in boxes) + 8
        bottom = max(box["y"] + box["height"] for box in boxes) + 8
        if panels:
            right, bottom = (self.page.evaluate(f"inner{side}") for side in ("Width", "Height"))
        return self.page.screenshot(
            clip={"x": left, "y": top, "width": right - left, "height": bottom - top}
        )

    def presses(self) -> list[tuple[float, float]]:
        """Where on the page the mouse was pressed since it was opened."""
        return [(x, y) for x, y in self.page.evaluate("() => window.presses")]

    def ids(self) -> list[str]:
        """Ids of the regions that the editor holds, without its points."""
        script = """() => window.Htx.annotationStore.selected.regions
            .filter(r => !r.type.startsWith("keypoint")).map(r => r.cleanId)"""
        found: list[str] = self.page.evaluate(script)
        return found

    def results(self) -> list[dict[str, Any]]:
        """The annotation as it would be submitted now."""
        script = "() => window.Htx.annotationStore.selected.serializeAnnotation()"
        found: list[dict[str, Any]] = self.page.evaluate(script)
        return found

    def _note(self, response: Response) -> dict[str, Any]:
        self.last_request = response.request.post_data_json or {}
        body: dict[str, Any] = response.json()
        return body

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where on the page x, y (0 to 1) of the image is."""
        canvas = self.page.locator("canvas").first.bounding_box()
        assert canvas is not None
        return canvas["x"] + x * canvas["width"], canvas["y"] + y * canvas["height"]

    def _switch(self, button: str, state: str, *, wanted: bool) -> None:
        # The editor remembers its switches from page to page.
        if self.page.evaluate(f"() => window.Htx.{state}") != wanted:
            self._button(button).click(force=True)
            is_so = f"() => window.Htx.{state} === {str(wanted).lower()}"
            self.page.wait_for_function(is_so)
            self.page.wait_for_timeout(PAUSE_MS)

    def _button(self, name: str) -> Any:
        return self.page.locator(f"[data-testid=bottombar-{name}]")


def first_card(page: Page, heading: str) -> bytes:
    """A screenshot of a section of the status page, down to its first card."""
    section = page.locator("section", has_text=heading)
    whole, card = (part.bounding_box() for part in (section, section.locator("li.card").first))
    assert whole is not None
    assert card is not None
    return page.screenshot(
        full_page=True,
        clip={
            "x": whole["x"] - 16,
            "y": whole["y"] - 8,
            "width": whole["width"] + 32,
            "height": card["y"] + card["height"] - whole["y"] + 24,
        },
    )


def _said(exchange: Request | Response) -> str:
    """A request for a mask, or its answer, in a line."""
    if isinstance(exchange, Response):
        return f"< {exchange.status} {exchange.text()[:400]}"
    points = (exchange.post_data_json or {})["context"]["result"]
    return f"> {[(each['id'], each.get('is_positive')) for each in points]}"


def _first_page(browser: Browser, url: str) -> Editor:
    page = browser.new_page(viewport={"width": 1500, "height": 1150})
    page.set_default_timeout(PATIENCE_MS)
    return Editor(page, url)


@contextlib.contextmanager
def open_editor(chromium: str, url: str) -> Iterator[Editor]:
    """Start Chromium and log in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        try:
            editor = _first_page(browser, url)
            editor.log_in()
            yield editor
        finally:
            browser.close()


@contextlib.contextmanager
def open_editor_of_colleague(editor: Editor) -> Iterator[Editor]:
    """Sign a second annotator up, in a window of their own; once in a test run."""
    browser = editor.page.context.browser
    assert browser is not None
    colleague = _first_page(browser, editor.url)  # with cookies of its own
    try:
        colleague.log_in(COLLEAGUE)
        yield colleague
    finally:
        colleague.page.close()
