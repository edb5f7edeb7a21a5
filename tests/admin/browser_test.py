#!/usr/bin/env python3
"""The admin page in headless Chromium: what it shows, how it follows, and what it does when things are wrong.

    browser_test.py SERVER SCREENSHOTS

SERVER is admin_browser_server; screenshots are put into the second. The tests share one browser and one server and
run in the order in which they stand here. Exits with 77, for "skipped", where there is no Chromium. LEKT_TEST_SLOWNESS
makes it wait longer."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any, List

sys.path.insert(0, str(Path(__file__).parent))
from webdriver import Browser, missing_programs  # noqa: E402

SKIPPED = 77
NGINX = "/usr/sbin/nginx"
PATIENCE = 10 * float(os.environ.get("LEKT_TEST_SLOWNESS", "1"))
INJECTION = "<img src=x onerror=alert(1)><script>alert(2)</script>"
ARROW_DOWN, PAGE_DOWN, END, ENTER, ESCAPE = "\ue015", "\ue00f", "\ue010", "\ue007", "\ue00c"


class Server:
    """The page's server, which obeys one command a line."""

    def __init__(self, program: str) -> None:
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}/"

    def tell(self, command: str) -> None:
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        if self.process.stdout.readline() != "done\n":
            raise RuntimeError(f"the server did not obey: {command}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Nginx:
    """An nginx that has the page below /lekt/, as its own configuration does it: no setting but where to."""

    def __init__(self, page: str) -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="lekt-nginx-")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/lekt/"
        place = self.directory.name
        Path(place, "nginx.conf").write_text(
            f"daemon off; master_process off; pid {place}/pid; error_log stderr;\n"
            f"events {{}}\n"
            f"http {{ access_log off; client_body_temp_path {place}/b; proxy_temp_path {place}/p;\n"
            f"fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;\n"
            f"server {{ listen 127.0.0.1:{port}; location /lekt/ {{ proxy_pass {page}; }} }} }}\n")
        self.process = subprocess.Popen([NGINX, "-c", f"{place}/nginx.conf"])
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError("nginx does not listen")

    def __enter__(self) -> "Nginx":
        return self

    def __exit__(self, *_: Any) -> None:
        self.process.kill()
        self.process.wait()
        self.directory.cleanup()


class PageTest(unittest.TestCase):
    browser: Browser
    server: Server
    screenshots: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = Server(sys.argv[1])
        cls.screenshots = Path(sys.argv[2])
        cls.browser = Browser(PATIENCE)
        cls.browser.look_like(1280, 900, "light")
        cls.browser.open(cls.server.url)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.browser.close()
        cls.server.kill()

    def wait_for_text(self, selector: str, text: str) -> None:
        self.browser.wait(f"{selector} has {text!r}, not {self.browser.text(selector)!r}",
                          lambda: text in self.browser.text(selector))

    def addresses(self) -> List[str]:
        return self.browser.run("return [...document.querySelectorAll('#clients .address')].map(e => e.innerText)")

    def count_of(self, selector: str) -> int:
        return self.browser.run("return document.querySelectorAll(arguments[0]).length", selector)

    def reload(self) -> None:
        self.browser.open(self.server.url)
        self.wait_for_text("#link", "Live")

    def property(self, selector: str, name: str) -> Any:
        return self.browser.run("return document.querySelector(arguments[0])[arguments[1]]", selector, name)

    def assert_console_silent(self) -> None:
        self.assertEqual(self.browser.console(), [])

    def shoot(self, name: str) -> None:
        self.browser.screenshot(self.screenshots / f"{name}.png")

    def test_01_says_so_when_nobody_is_here(self) -> None:
        self.wait_for_text("#clients-empty", "Nobody is here yet")
        self.wait_for_text("#activity-empty", "Nothing has happened yet")
        self.wait_for_text("#health", "All is well")
        self.wait_for_text("#link", "Live")
        self.assertEqual(self.browser.run("return document.querySelector('#clients').hidden"), True)
        self.shoot("empty")

    def test_02_shows_a_client_the_moment_it_joins(self) -> None:
        self.server.tell("add 10.0.0.9 7009")
        self.server.tell("add 10.0.0.10 0")
        self.browser.wait("both are listed, in the order of their addresses",
                          lambda: self.addresses() == ["10.0.0.9", "10.0.0.10"])
        self.wait_for_text("#clients", "tcp:7009")
        self.wait_for_text("#clients", "no methods")
        self.browser.wait("the number is 2", lambda: self.browser.text("#chart-clients .now").split()[:1] == ["2"])
        self.wait_for_text("#activity li:first-child", "10.0.0.10 joined")

    def test_03_shows_other_methods_and_leaves(self) -> None:
        self.server.tell("add 10.0.0.9 9999")
        self.wait_for_text("#activity li:first-child", "10.0.0.9 has other methods tcp:9999")
        self.server.tell("remove 10.0.0.10")
        self.wait_for_text("#activity li:first-child", "10.0.0.10 left closed the connection")
        self.browser.wait("only the other is listed", lambda: self.addresses() == ["10.0.0.9"])
        self.assert_console_silent()

    def test_04_markup_of_clients_stays_text(self) -> None:
        self.server.tell(f"methods 10.0.0.9 {INJECTION}")
        self.server.tell(f"reject 10.0.0.9 {INJECTION}")
        self.server.tell(f"warn {INJECTION}")
        self.reload()
        self.wait_for_text("#warnings", INJECTION)
        self.wait_for_text("#clients", "onerror=alert(1)")
        self.browser.click("#clients .row")
        self.wait_for_text("#detail-body", "E102 " + INJECTION)
        self.wait_for_text("#detail-body dd:nth-of-type(2)", INJECTION)
        self.assertEqual(self.count_of("img, body script:not(body > script:last-of-type)"), 0)
        self.assert_console_silent()
        self.shoot("injection")
        self.browser.click("#detail button")
        self.browser.wait("the details are closed", lambda: not self.property("#detail", "open"))
        self.server.tell("methods 10.0.0.9 tcp:9999")
        self.server.tell("calm")

    def test_05_nothing_that_is_injected_could_run(self) -> None:
        """Even if the page had such a hole: the browser refuses."""
        refused = self.browser.run("""
            try { document.body.innerHTML += '<b></b>'; return 'allowed'; } catch (error) { return error.name; }""")
        self.assertEqual(refused, "TypeError")
        self.browser.run("""
            const script = document.createElementNS('http://www.w3.org/1999/xhtml', 'style');
            script.textContent = 'body { display: none }';
            document.head.append(script);""")
        self.assertEqual(self.browser.run("return getComputedStyle(document.body).display"), "block")
        self.assertTrue(self.browser.console(), "the console tells of the violation")

    def test_06_ten_thousand_clients_are_a_few_rows(self) -> None:
        self.server.tell("hour")
        self.server.tell("fill 10000")
        self.reload()
        self.wait_for_text("#clients-count", "10,00")
        elements = self.count_of("*")
        self.assertLess(self.count_of("#clients .row"), 60)
        self.assertLess(elements, 1500)
        slowest = self.browser.run("""
            const list = document.querySelector('#clients');
            return new Promise((done) => {
              let slowest = 0, steps = 0, before = performance.now();
              const step = () => {
                const now = performance.now();
                slowest = Math.max(slowest, steps > 1 ? now - before : 0);
                before = now;
                if (++steps > 40) return done(slowest);
                list.scrollTop = (list.scrollHeight - list.clientHeight) * steps / 40;
                requestAnimationFrame(step);
              };
              requestAnimationFrame(step);
            });""")
        print(f"10,000 clients: {elements} elements, slowest frame of a scroll through all {slowest:.0f} ms")
        self.assertLess(self.count_of("#clients .row"), 60)
        self.browser.wait("the last one is shown", lambda: self.browser.run("""
            const rows = [...document.querySelectorAll('#clients .row')];
            return rows.some((row) => row.getAttribute('aria-posinset') === row.getAttribute('aria-setsize'));"""))
        self.shoot("ten-thousand")
        self.assert_console_silent()

    def test_07_finds_clients(self) -> None:
        self.browser.type("#search", "10.0.2.2")
        self.wait_for_text("#clients-count", "of 10,00")
        self.assertTrue(self.browser.wait("all match", lambda: all("10.0.2.2" in a for a in self.addresses())))
        self.browser.clear("#search")
        self.browser.type("#search", "10.0.2.128/25")
        self.assertTrue(self.browser.wait("all are in the block", lambda: self.addresses() and all(
            a.startswith("10.0.2.") and int(a.split(".")[3]) >= 128 for a in self.addresses())))
        self.browser.type("#search", "xyz")
        self.wait_for_text("#clients-empty", "No client matches")
        self.browser.clear("#search")
        self.browser.run("document.querySelector('#search').dispatchEvent(new Event('input'))")
        self.wait_for_text("#clients-count", "10,00")

    def test_08_a_join_among_ten_thousand_is_shown_at_once(self) -> None:
        self.browser.run("const order = document.querySelector('#order'); order.value = 'since';"
                         "order.dispatchEvent(new Event('change'))")
        self.server.tell("add 10.250.0.1 7001")
        self.browser.wait("the newest comes first", lambda: self.addresses()[:1] == ["10.250.0.1"])
        self.browser.run("const order = document.querySelector('#order'); order.value = 'address';"
                         "order.dispatchEvent(new Event('change'))")
        self.browser.wait("the lowest comes first", lambda: self.addresses()[:1] == ["10.0.0.1"])

    def test_09_the_keyboard_is_enough(self) -> None:
        self.browser.type("#clients", ARROW_DOWN + ARROW_DOWN)
        self.wait_for_text("#clients [aria-selected=true] .address", "10.0.0.2")
        self.assertEqual(self.browser.run("return document.querySelector('#clients').getAttribute('aria-activedescendant')"),
                         "client-10.0.0.2")
        self.browser.type("#clients", END)
        self.wait_for_text("#clients [aria-selected=true] .address", "10.250.0.1")
        self.browser.type("#clients", ENTER)
        self.wait_for_text("#detail-title", "10.250.0.1")
        self.wait_for_text("#detail-body", "session 17")
        self.browser.type("#detail button", ESCAPE)
        self.browser.wait("Escape closes it", lambda: not self.property("#detail", "open"))
        self.assert_console_silent()

    def test_10_everything_has_a_name(self) -> None:
        nameless = self.browser.run("""
            return [...document.querySelectorAll('input, select, button, a, [role=img], [role=listbox], [role=log], dialog')]
              .filter((e) => !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.labels?.length || e.innerText))
              .map((e) => e.outerHTML.slice(0, 80));""")
        self.assertEqual(nameless, [])
        self.assertIn("in the last 60 minutes: now", self.browser.run("return document.querySelector('#chart-clients svg').ariaLabel"))

    def test_11_text_is_legible_in_both_schemes(self) -> None:
        for scheme in ("light", "dark"):
            self.browser.look_like(1280, 900, scheme)
            self.assertGreaterEqual(self.browser.run(CONTRAST), 4.5, scheme)

    def test_12_fits_a_phone(self) -> None:
        for scheme in ("light", "dark"):
            self.browser.look_like(390, 844, scheme, mobile=True)
            self.assertLessEqual(self.property("html", "scrollWidth"), 390)
            self.shoot(f"phone-{scheme}")
            self.browser.look_like(1280, 900, scheme)
            self.shoot(f"desktop-{scheme}")

    def test_13_charts_tell_their_values(self) -> None:
        self.browser.look_like(1280, 900, "light")
        self.browser.run("""
            const plot = document.querySelector('#chart-changes .plot'), box = plot.getBoundingClientRect();
            plot.dispatchEvent(new PointerEvent('pointermove', { clientX: box.left + box.width * 0.62, clientY: box.top + 9 }));""")
        self.assertRegex(self.browser.text("#chart-changes .tip"), r"^\d\d:\d\d:\d\d +[\d.]+ per second$")
        self.assert_console_silent()

    def test_14_tells_where_the_server_listens_and_what_waits_for_a_restart(self) -> None:
        self.wait_for_text("footer", "Listens on 0.0.0.0:7890 (plain, passed), [::]:7891 (tls)")
        self.wait_for_text("footer", "Waits for a restart: threads")
        self.assert_console_silent()

    def test_15_lives_below_a_path_of_an_nginx_with_its_defaults(self) -> None:
        if not Path(NGINX).exists():
            self.skipTest("needs Debian's nginx-light")
        with Nginx(self.server.url) as proxy:
            self.browser.open(proxy.url)
            self.wait_for_text("#link", "Live")
            self.server.tell("add 10.250.0.2 7002")
            self.wait_for_text("#activity li:first-child", "10.250.0.2 joined")
            self.assert_console_silent()
        self.browser.open(self.server.url)

    def test_16_a_new_server_has_charts_that_can_be_read(self) -> None:
        young = Server(sys.argv[1])
        self.addCleanup(young.kill)
        young.tell("minute")
        self.browser.open(young.url)
        self.browser.wait("the scale is short", lambda: "5 min ago" in self.browser.text("#chart-heartbeats"))
        covered = self.browser.run("""
            const line = document.querySelector('#chart-heartbeats .line').getBBox();
            return line.width / 1000;""")
        self.assertGreater(covered, 0.15)
        inside = self.browser.run("""
            return [...document.querySelectorAll('.chart .line')].every((line) => line.getBBox().y >= 0);""")
        self.assertTrue(inside, "no line leaves its chart")
        self.shoot("young")
        self.reload()
        self.browser.wait("the clients are listed", lambda: len(self.addresses()) > 5)

    def test_17_shows_devices_in_groups_while_the_server_takes_them(self) -> None:
        for address, uid in (("10.0.10.7", "0015708E863F"), ("10.0.9.8", INJECTION), ("10.0.9.7", "0015708E8640")):
            self.server.tell(f"device {address} {uid}")
        self.reload()
        self.browser.console()  # it tells of the proxy that has gone
        self.wait_for_text("#devices-tiles", "Sessions\n50")
        self.wait_for_text("#devices-tiles", "Free ports\n950")
        self.browser.wait("both subnets, by address", lambda: self.browser.run(
            "return [...document.querySelectorAll('#devices summary')].map(e => e.innerText)")
            == ["10.0.9.0/242", "10.0.10.0/241"])
        self.assertEqual(self.count_of("#devices details li"), 0, "closed groups have no rows")
        self.browser.click("#devices summary")
        self.wait_for_text("#devices details", INJECTION)
        self.wait_for_text("#devices-alerts", "E918")
        self.assertEqual(self.count_of("#devices details li"), 2)
        for uid in ("0015708E8640", INJECTION):
            self.browser.run("""
                [...document.querySelectorAll('#devices .name')].find((name) => name.textContent === arguments[0]).click();""", uid)
            self.wait_for_text("#detail-title", uid)
            for part in ("wms (10.1.0.5:23), working", "16 × 26", "one session of this uid", "E918"):
                self.wait_for_text("#detail-body", part)
            self.shoot("device")
            self.browser.type("#detail button", ESCAPE)
            self.browser.wait("Escape closes it", lambda: not self.property("#detail", "open"))
        self.assertEqual(self.count_of("img, body script:not(body > script:last-of-type)"), 0)
        self.shoot("devices")
        self.server.tell("no-devices")
        self.browser.wait("the section is gone", lambda: self.property("#devices", "hidden"))
        self.assert_console_silent()

    def test_18_says_so_when_the_server_is_gone(self) -> None:
        self.server.kill()
        self.wait_for_text("#link", "Connection lost")
        self.wait_for_text("#health", "The server does not answer")
        self.assertGreater(len(self.addresses()), 5, "what was known stays visible")
        self.shoot("lost")


# The lowest contrast of text and ground (WCAG 2) among those that the style sheet pairs.
CONTRAST = """
    const channel = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const luminance = (name) => {
      paint.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
      paint.fillRect(0, 0, 1, 1);
      const [r, g, b] = [...paint.getImageData(0, 0, 1, 1).data].map((value) => channel(value / 255));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (one, other) => {
      const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
      return (high + 0.05) / (low + 0.05);
    };
    const grounds = ['--ground', '--card', '--good-ground', '--warn-ground', '--bad-ground'];
    return Math.min(
      ...grounds.flatMap((ground) => [contrast('--ink', ground), contrast('--quiet', ground)]),
      ...['--accent', '--joined', '--left', '--changed'].map((ink) => contrast(ink, '--card')),
      contrast('--ink', '--chip'));
"""


def main() -> int:
    missing = missing_programs()
    if missing:
        print(f"skipped: {' and '.join(missing)} not installed (Debian: apt install chromium chromium-driver)")
        return SKIPPED
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    result = unittest.TextTestRunner(verbosity=2, failfast=True).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(PageTest))
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
