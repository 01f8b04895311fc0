"""s3_server.py - a real S3 server (SeaweedFS, from tests/daemon/s3-install) on loopback, and a client of it that signs by itself."""
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACCESS_KEY, SECRET_KEY, REGION = "AKEVDBTEST", "s3cret/of+the=tests", "us-east-1"
STARTS, PATIENCE = 3, 60


def program():
    """Where it is, or None."""
    installed = ROOT / "build" / "s3" / "bin" / "weed"
    return str(installed) if installed.exists() else shutil.which("weed")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class S3:
    """What tests do to a bucket behind evdbd's back; replies are http.client's with `.body`."""

    def __init__(self, port, bucket):
        self.port, self.bucket, self.endpoint = port, bucket, f"http://127.0.0.1:{port}"

    def ask(self, method, key=None, query=(), body=b"", headers=()):
        path = "/" + self.bucket + ("/" + urllib.parse.quote(key) if key is not None else "")
        words = "&".join(f"{urllib.parse.quote(name, safe='')}={urllib.parse.quote(value, safe='')}" for name, value in sorted(query))
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        sent = {**dict(headers), "host": f"127.0.0.1:{self.port}", "x-amz-date": stamp, "x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
        names = ";".join(sorted(sent))
        canonical = "\n".join([method, path, words, *(f"{name}:{sent[name]}" for name in sorted(sent)), "", names, sent["x-amz-content-sha256"]])
        scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
        key = ("AWS4" + SECRET_KEY).encode()
        for word in scope.split("/"):
            key = hmac.digest(key, word.encode(), "sha256")
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        sent["authorization"] = (f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope},SignedHeaders={names},"
                                 f"Signature={hmac.digest(key, text.encode(), 'sha256').hex()}")
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            client.request(method, path + ("?" + words if words else ""), body, sent)
            reply = client.getresponse()
            reply.body = reply.read()
            return reply
        finally:
            client.close()

    def put(self, key, body):
        reply = self.ask("PUT", key, body=body)
        assert reply.status == 200, reply.body

    def get(self, key):
        reply = self.ask("GET", key)
        assert reply.status == 200, reply.body
        return reply.body

    def delete(self, key):
        assert self.ask("DELETE", key).status in (200, 204)

    def keys(self, prefix=""):
        return re.findall("<Key>(.*?)</Key>", self.ask("GET", query=[("list-type", "2"), ("prefix", prefix)]).body.decode())

    def uploads(self):
        """Ids of those that are neither complete nor aborted."""
        return re.findall("<UploadId>(.*?)</UploadId>", self.ask("GET", query=[("uploads", "")]).body.decode())


class S3Server:
    """One process, stopped with stop()."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        keys = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
        (self.folder / "identities.json").write_text(json.dumps({"identities": [{"name": "evdb", "credentials": [keys], "actions": ["Admin"]}]}))
        for _ in range(STARTS):  # a port that was free may be taken meanwhile
            if self._start():
                return
        raise RuntimeError((self.folder / "log").read_text()[-2000:])

    def _start(self):
        kinds = ("master", "volume", "filer", "s3")
        ports = free_ports(2 * len(kinds))
        flags = [f"-{kind}.port{more}={port}" for kind, pair in zip(kinds, zip(ports[::2], ports[1::2])) for more, port in zip(("", ".grpc"), pair)]
        self.port, self.ports = ports[-2], ports
        log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(
            [program(), "-logtostderr=true", "server", f"-dir={self.folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false",
             "-master.volumeSizeLimitMB=64", "-volume.max=500", *flags, "-s3", f"-s3.config={self.folder}/identities.json",
             "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={name: value for name, value in os.environ.items() if "proxy" not in name.lower()})
        log.close()
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if S3(self.port, "evdb-ready").ask("PUT").status == 200:
                    return True
            except OSError:
                pass
            try:
                self.process.wait(0.1)
            except subprocess.TimeoutExpired:
                pass
        self.stop()
        return False

    def bucket(self, name):
        made = S3(self.port, name)
        assert made.ask("PUT").status == 200
        return made

    def stop(self):
        self.process.kill()  # nothing it has is needed any more
        self.process.wait(PATIENCE)
        for port in self.ports:
            for socket_file in pathlib.Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                socket_file.unlink(missing_ok=True)
