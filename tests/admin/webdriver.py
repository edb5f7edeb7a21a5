"""A headless Chromium, driven through chromedriver with W3C WebDriver over HTTP: as much of it as the tests need."""

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the standard's name for a reference to an element


def missing_programs() -> List[str]:
    return [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]


class Browser:
    """One window. Ends both programs at the end of its scope."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.profile = tempfile.TemporaryDirectory(prefix="lekt-chromium-")
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.address = f"http://127.0.0.1:{self._port()}"
        self.session = ""
        try:
            answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": self._wishes()}})
            self.session = f"/session/{answer['sessionId']}"
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        try:
            if self.session:
                self._call("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait()
            self.driver.stdout.close()
            self.profile.cleanup()

    def _port(self) -> int:
        for line in self.driver.stdout:
            words = line.split()
            if "successfully" in line and words[-1].rstrip(".").isdigit():
                return int(words[-1].rstrip("."))
        raise RuntimeError("chromedriver did not start")

    def _wishes(self) -> Dict[str, Any]:
        # Root may use no sandbox, and containers have a small /dev/shm.
        flags = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-extensions",
                 "--disable-background-networking", "--no-first-run", "--hide-scrollbars", "--lang=en",
                 "--no-proxy-server", f"--user-data-dir={self.profile.name}"]
        return {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": shutil.which("chromium"), "args": flags},
            "goog:loggingPrefs": {"browser": "ALL"},
        }

    def _call(self, method: str, path: str, body: Optional[Dict[str, Any]] = None) -> Any:
        data = None if method != "POST" else json.dumps(body or {}).encode()
        request = urllib.request.Request(
            self.address + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"]) from None

    def open(self, url: str) -> None:
        self._call("POST", f"{self.session}/url", {"url": url})

    def run(self, script: str, *arguments: Any) -> Any:
        """What a function with this body returns in the page."""
        return self._call("POST", f"{self.session}/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, what: str, condition: Callable[[], Any]) -> Any:
        """Asks until the answer is true, and returns it; fails after the patience."""
        deadline = time.monotonic() + self.patience
        while True:
            answer = condition()
            if answer:
                return answer
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {self.patience:g} s in vain for this: {what}")
            time.sleep(0.03)

    def element(self, selector: str) -> str:
        return self._call("POST", f"{self.session}/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector: str) -> None:
        self._call("POST", f"{self.session}/element/{self.element(selector)}/click")

    def type(self, selector: str, text: str) -> None:
        """Real keys; WebDriver names special ones by private characters."""
        self._call("POST", f"{self.session}/element/{self.element(selector)}/value", {"text": text})

    def clear(self, selector: str) -> None:
        self._call("POST", f"{self.session}/element/{self.element(selector)}/clear")

    def text(self, selector: str) -> str:
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def console(self) -> List[str]:
        """What the console has said since the last call."""
        return [f"{entry['level']}: {entry['message']}"
                for entry in self._call("POST", f"{self.session}/se/log", {"type": "browser"})]

    def _devtools(self, command: str, **parameters: Any) -> Any:
        return self._call("POST", f"{self.session}/goog/cdp/execute", {"cmd": command, "params": parameters})

    def look_like(self, width: int, height: int, scheme: str, mobile: bool = False) -> None:
        self._devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, mobile=mobile,
                       deviceScaleFactor=2 if mobile else 1)
        self._devtools("Emulation.setEmulatedMedia",
                       features=[{"name": "prefers-color-scheme", "value": scheme},
                                 {"name": "prefers-reduced-motion", "value": "reduce"}])

    def screenshot(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self._call("GET", f"{self.session}/screenshot")))
