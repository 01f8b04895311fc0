"""person.py - a person with a browser: logs in at the authorization endpoint and says yes, for whoever asks over HTTP."""
import html.parser
import http.cookiejar
import http.server
import threading
import urllib.parse
import urllib.request

USER, PASSWORD = "judy", "correct horse battery staple"


class Form(html.parser.HTMLParser):
    """The one form of a page: where it goes, its fields, and its buttons."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields, self.buttons, self.ask = None, {}, [], {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if tag == "form":
            assert a["method"].lower() == "post"
            self.action = a.get("action", "")
        elif tag == "input" and a.get("type") == "password":
            self.ask[a["name"]] = PASSWORD
        elif tag == "input" and a.get("type", "text") in ("text", "email"):
            self.ask[a["name"]] = USER
        elif tag == "input" and a.get("type") == "hidden":
            self.fields[a["name"]] = a.get("value", "")
        elif tag == "button" and a.get("name"):
            self.buttons.append((a["name"], a.get("value", "")))


class StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def browse(url):
    """Logs in and agrees, as a person with a browser would; where the browser is sent in the end."""
    opener = urllib.request.build_opener(StayHere, urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    body = None
    for _ in range(6):
        try:
            page = opener.open(urllib.request.Request(url, body)).read().decode()
        except urllib.error.HTTPError as answer:
            if answer.code not in (302, 303):
                raise
            body, url = None, urllib.parse.urljoin(url, answer.headers["Location"])
            if "code=" in url or "error=" in url:
                return url
            continue
        form = Form(page)
        fields = {**form.fields, **form.ask}
        yes = [button for button in form.buttons if button[1] in ("allow", "yes", "approve", "login")]
        fields.update(yes[:1])
        url, body = urllib.parse.urljoin(url, form.action), urllib.parse.urlencode(fields).encode()
    raise AssertionError(f"the pages never end: {page}")


class Browser(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        where = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)["url"][0]
        try:
            status, text = 200, browse(where)
        except Exception as error:  # told to whoever asked
            status, text = 500, repr(error) + getattr(error, "read", bytes)().decode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def sit_down():
    """A server on loopback whose GET /?url=... answers where the person's browser was sent in the end."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Browser)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
