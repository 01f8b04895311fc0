"""test_real_browser.py - Chromium itself at the authorization endpoint, driven by WebDriver: whether policies that are to keep others out let the
user in. Skipped where chromedriver is not installed."""
import http.server
import json
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from browser import PASSWORD, USER, add_user, asking, issuer, redeem, register, verifier_and_challenge
from http_client import PATIENCE

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the name that WebDriver has for one


class Driver:
    """A session of chromedriver."""

    def __init__(self, profile):
        self.process = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.base = None
        for line in self.process.stdout:
            if "successfully on port " in line:
                self.base = "http://127.0.0.1:" + line.split("on port ")[1].rstrip(".\n")
                break
        assert self.base, "chromedriver did not start"
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}"]
        options = {"goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL"}}
        self.session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": options}})["sessionId"]

    def call(self, method, path, body=None):
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return json.load(reply)["value"]

    def do(self, method, path, body=None):
        return self.call(method, f"/session/{self.session}{path}", body)

    def open(self, url):
        self.do("POST", "/url", {"url": url})

    def find(self, selector):
        return self.do("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def type(self, selector, text):
        self.do("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def click(self, selector):
        self.do("POST", f"/element/{self.find(selector)}/click")

    def text(self):
        return self.do("GET", f"/element/{self.find('body')}/text")

    def shows(self, text):
        """Waits for it: a click is done before the page that it leads to is there."""
        until, seen = time.monotonic() + PATIENCE, None
        while time.monotonic() < until:
            try:
                seen = self.do("POST", "/execute/sync", {"script": "return document.body ? document.body.innerText : ''", "args": []})
            except urllib.error.HTTPError:  # between two pages
                continue
            if text in seen:
                return True
        raise AssertionError(f"{text!r} is not in {seen!r}")

    def complaints(self):
        """What the console says, but for icons that nobody has."""
        return [entry["message"] for entry in self.do("POST", "/se/log", {"type": "browser"}) if "favicon" not in entry["message"]]

    def close(self):
        try:
            self.do("DELETE", "")
        finally:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process.stdout.close()


class Callback(http.server.BaseHTTPRequestHandler):
    """The client's end: keeps what the browser is sent there with."""

    def do_GET(self):
        if self.path.startswith("/callback"):
            self.server.got.append((self.path, self.headers.get("Referer")))
            self.server.arrived.set()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"thanks")

    def log_message(self, *_):
        pass


@pytest.fixture
def callback():
    server = http.server.HTTPServer(("127.0.0.1", 0), Callback)
    server.got, server.arrived = [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def driver(tmp_path):
    if not shutil.which("chromedriver"):
        pytest.skip("chromedriver is not installed (apt-get install chromium chromium-driver)")
    driver = Driver(tmp_path / "profile")
    yield driver
    driver.close()


def test_a_user_logs_in_says_yes_and_the_client_gets_a_code(start, driver, callback):
    server = start()
    register(server)
    add_user(server)
    verifier, challenge = verifier_and_challenge()
    redirect = f"http://127.0.0.1:{callback.server_port}/callback"
    query = asking(challenge, redirect_uri=redirect)
    driver.open(f"{issuer(server)}/oauth/authorize?{query}")
    assert driver.shows("Log in to evdb")
    driver.type("input[name=user]", USER)
    driver.type("input[name=password]", "wrong password")
    driver.click("button[value=login]")
    assert driver.shows("Name or password is wrong.")
    driver.type("input[name=user]", USER)
    driver.type("input[name=password]", PASSWORD)
    driver.click("button[value=login]")
    assert driver.shows("Allow access?") and redirect.split("/")[2] in driver.text()
    assert driver.do("POST", "/execute/sync", {"script": "return getComputedStyle(document.querySelector('main')).borderRadius", "args": []}) == "8px"
    assert [message for message in driver.complaints() if "Content Security Policy" in message] == []
    driver.click("button[value=allow]")
    assert callback.arrived.wait(PATIENCE)
    path, referer = callback.got[0]
    answer = dict(urllib.parse.parse_qsl(path.partition("?")[2]))
    assert answer["state"] == "st&te" and answer["iss"] == issuer(server) and referer is None
    assert redeem(server, answer["code"], verifier, redirect_uri=redirect).status == 200


def test_the_page_shows_nothing_in_a_frame(start, driver, callback):
    server = start()
    register(server)
    add_user(server)
    _, challenge = verifier_and_challenge()
    url = f"{issuer(server)}/oauth/authorize?{asking(challenge)}"
    driver.open(f"http://127.0.0.1:{callback.server_port}/")
    driver.do("POST", "/execute/async", {"args": [url], "script": """
        const frame = document.createElement('iframe'), done = arguments[1];
        frame.onload = () => done(null);
        frame.src = arguments[0];
        document.body.append(frame);"""})
    driver.do("POST", "/frame", {"id": {ELEMENT: driver.find("iframe")}})
    assert "Log in" not in driver.text()
