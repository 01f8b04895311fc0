"""s3_fake.py - an S3 server in memory that misbehaves as a test wishes. It believes every signature: s3_server.py's does not."""
import hashlib
import http.server
import re
import ssl
import threading
import types
import urllib.parse
from xml.sax.saxutils import escape

BUCKET, SECRET_KEY = "bucket", "secret-key-of-tests"


class Request(http.server.BaseHTTPRequestHandler):
    """One request. A test's `before` or `after` may answer(), hang up or wait in the place of what the server would do."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one segment

    def answer(self, status, body=b"", length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        return True

    def error_answer(self, status, code, message="as the test wished"):
        return self.answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode())

    def hang_up(self):
        self.close_connection = True
        self.connection.close()
        return True

    def handle_one(self):
        fake, path = self.server.fake, urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(path.query, keep_blank_values=True))
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.key = urllib.parse.unquote(path.path).removeprefix(f"/{BUCKET}").removeprefix("/")
        with fake.lock:
            fake.seen.append(types.SimpleNamespace(kind=self.kind(), path=self.path, headers=self.headers))
            fake.count += 1
            self.number = fake.count
        if not fake.before(self):
            with fake.lock:
                answer = getattr(self, f"do_{self.kind()}")(fake)
            if not fake.after(self):
                self.answer(*answer[:2], **(answer[2] if len(answer) > 2 else {}))

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_one

    def kind(self):
        """What the request is for: list, read, find, put, part, begin, complete, abort, delete."""
        if self.command == "GET":
            return "read" if self.key else "list"
        if self.command == "DELETE":
            return "abort" if "uploadId" in self.query else "delete"
        if self.command == "PUT":
            return "part" if "uploadId" in self.query else "put"
        return {"HEAD": "find", "POST": "begin" if "uploads" in self.query else "complete"}[self.command]

    def do_list(self, fake):
        found = [key for key in sorted(fake.objects) if key.startswith(self.query["prefix"]) and key > self.query.get("continuation-token", "")]
        page = found[:2]
        more = "<IsTruncated>true</IsTruncated><NextContinuationToken>" + escape(page[-1]) + "</NextContinuationToken>" if len(found) > 2 else ""
        contents = "".join(f"<Contents><Key>{urllib.parse.quote(key)}</Key><ETag>&quot;{tag(fake.objects[key][0])}&quot;</ETag>"
                           f"<Size>{len(fake.objects[key][0])}</Size></Contents>" for key in page)
        return 200, f'<?xml version="1.0"?>\n<ListBucketResult xmlns="x">{more}{contents}</ListBucketResult>'.encode()

    def do_find(self, fake):
        if self.key not in fake.objects:
            return 404, b""
        content, mark = fake.objects[self.key]
        return 200, content, {"ETag": f'"{tag(content)}"', "x_amz_meta_evdb_upload": mark}

    def do_read(self, fake):
        if self.key not in fake.objects:
            return 404, b"<Error><Code>NoSuchKey</Code></Error>"
        content = fake.objects[self.key][0]
        first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups())
        if self.headers.get("If-Match") != f'"{tag(content)}"':
            return 412, b"<Error><Code>PreconditionFailed</Code></Error>"
        return 206, content[first:last + 1]

    def create(self, fake, content, mark):
        if self.key in fake.objects and self.headers.get("If-None-Match") == "*":
            return 412, b"<Error><Code>PreconditionFailed</Code></Error>"
        fake.objects[self.key] = content, mark
        return 200, b"<CompleteMultipartUploadResult/>"

    def do_put(self, fake):
        return self.create(fake, self.body, self.headers["x-amz-meta-evdb-upload"])

    def do_begin(self, fake):
        fake.uploads["up/1+" + str(self.number)] = {}, self.headers["x-amz-meta-evdb-upload"]
        return 200, f"<InitiateMultipartUploadResult><UploadId>up/1+{self.number}</UploadId></InitiateMultipartUploadResult>".encode()

    def do_part(self, fake):
        fake.uploads[self.query["uploadId"]][0][int(self.query["partNumber"])] = self.body
        return 200, b"", {"ETag": f'"{tag(self.body)}"'}

    def do_complete(self, fake):
        if self.query["uploadId"] not in fake.uploads:
            return 404, b"<Error><Code>NoSuchUpload</Code></Error>"
        parts, mark = fake.uploads[self.query["uploadId"]]
        listed = re.findall(r"<PartNumber>(\d+)</PartNumber><ETag>(.*?)</ETag>", self.body.decode())
        assert [(int(number), found) for number, found in listed] == [(n, f"&#34;{tag(parts[n])}&#34;") for n in sorted(parts)]
        made = self.create(fake, b"".join(parts[n] for n in sorted(parts)), mark)
        if made[0] == 200:
            del fake.uploads[self.query["uploadId"]]
        return made

    def do_abort(self, fake):
        fake.uploads.pop(self.query["uploadId"], None)
        return 204, b""

    def do_delete(self, fake):
        fake.objects.pop(self.key, None)
        return 204, b""

    def log_message(self, *_):
        pass


def tag(content):
    return hashlib.md5(content).hexdigest()


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


class Fake:
    """before(request) and after(request) are asked for each; true = it has been answered. after() comes when what was asked for is done."""

    def __init__(self, certificate=None):
        self.lock, self.objects, self.uploads, self.seen, self.count = threading.RLock(), {}, {}, [], 0
        self.before = self.after = lambda request: False
        self.server = Quiet(("127.0.0.1", 0), Request)
        self.server.fake = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def kinds(self):
        return [request.kind for request in self.seen]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
