"""The picker's page in a browser, spoken of in pixels of the map."""

from __future__ import annotations

import json

from browser import Browser

from geocbar.app.picker.server import PickerServer


class PickerPage:
    """The picker's page, spoken of in pixels of the map."""

    def __init__(self, browser: Browser, server: PickerServer) -> None:
        self.browser, self.server = browser, server
        browser.open(server.address)
        browser.wait("window.picker?.store.state && !picker.store.state.reading", 240)
        browser.wait("picker.viewer.isThere(picker.viewer.levelFor(picker.viewer.scale * picker.viewer.ratio))", 60)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place of the map in the window."""
        script = (
            "(() => { const b = picker.viewer.canvas.getBoundingClientRect();"
            f" const [x, y] = picker.viewer.toScreen({x}, {y}); return [b.left + x, b.top + y]; }})()"
        )
        left, top = self.browser.run(script)
        return left, top

    def click(self, x: float, y: float) -> None:
        """Click a place of the map, to the nearest pixel of the window."""
        left, top = self.at(x, y)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            held = {"button": "none"} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
            self.browser.send("Input.dispatchMouseEvent", type=kind, x=left, y=top, **held)

    def type(self, text: str) -> None:
        self.browser.send("Input.insertText", text=text)

    def key(self, key: str, code: int = 0, modifiers: int = 0) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            self.browser.send(
                "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, modifiers=modifiers
            )

    def enter(self) -> None:
        for kind, text in (("keyDown", {"text": "\r"}), ("keyUp", {})):
            self.browser.send("Input.dispatchKeyEvent", type=kind, key="Enter", windowsVirtualKeyCode=13, **text)

    def state(self, path: str) -> object:
        return json.loads(self.browser.run(f"JSON.stringify(picker.store.state.{path} ?? null)"))

    def hover(self, x: float, y: float) -> None:
        """Move the mouse over a place of the map."""
        left, top = self.at(x, y)
        self.browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=left, y=top)

    def pick(self, place: tuple[float, float], lon: str, lat: str) -> None:
        """Click a place of the map and type where it is."""
        count = int(self.browser.run("picker.store.state.points.length"))
        self.click(*place)
        self.browser.wait(f"picker.store.state.points.length === {count + 1}")
        self.browser.wait("document.activeElement.classList.contains('degrees')")
        self.type(lon)
        self.key("Tab", 9)
        self.type(lat)
        self.enter()
        self.browser.wait(f"picker.store.state.points[{count}].world")
