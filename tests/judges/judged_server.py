"""judged_server.py - what other people's clients are judged with: evdbd with a client of each kind, a user, and a browser for that user."""
import base64
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "daemon"))

import evdbd  # noqa: E402
from person import PASSWORD, USER, sit_down  # noqa: E402


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, **options).stdout


def number(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def make_keys(directory):
    """A private key of each kind as a file, and its public half as a JWK."""
    ec, rsa, ed = (directory / f"{kind}.pem" for kind in ("es256", "rs256", "eddsa"))
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", ec)
    run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", rsa)
    run("openssl", "genpkey", "-algorithm", "ED25519", "-out", ed)
    edwards = run("openssl", "pkey", "-in", ed, "-pubout", "-outform", "DER")[-32:]
    point = run("openssl", "pkey", "-in", ec, "-pubout", "-outform", "DER")[-64:]
    modulus = bytes.fromhex(run("openssl", "rsa", "-in", rsa, "-noout", "-modulus", text=True).split("=")[1].strip())
    return {"es256": (ec, {"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "es256", "x": number(point[:32]), "y": number(point[32:])}),
            "rs256": (rsa, {"kty": "RSA", "alg": "RS256", "kid": "rs256", "n": number(modulus), "e": "AQAB"}),
            "eddsa": (ed, {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "eddsa", "x": number(edwards)})}


class JudgedServer:
    """evdbd as it is shipped. `environment` is what clients are told of it; none of it is a token for MCP: they have to find out where to get one."""

    def __init__(self, directory):
        directory.mkdir()
        keys = make_keys(directory)
        data, cli = directory / "data", pathlib.Path(os.environ["EVDB_BUILD"]) / "evdb"

        def evdb(*words, secret=None):
            return json.loads(run(cli, *words, "-d", data, "--json", input=secret, text=True))

        evdb("create", "judged", "--dim", "2")  # so that lists are not empty
        evdb("user", "add", USER, "--password", "-", "--scopes", "write", secret=PASSWORD)
        secret = evdb("client", "add", "judge", "--scopes", "write", "--grant-types", "client_credentials,refresh_token,authorization_code",
                      "--redirect", "https://judge.example/cb")["client_secret"]
        evdb("client", "add", "judge-public", "--auth", "none", "--scopes", "write", "--grant-types", "authorization_code,refresh_token",
             "--redirect", "http://127.0.0.1/cb,http://127.0.0.1/callback")
        for kind, (_, jwk) in keys.items():
            evdb("client", "add", f"judge-{kind}", "--auth", "private_key_jwt", "--scopes", "write", "--jwks", json.dumps({"keys": [jwk]}))
        self.server = evdbd.Server(data)
        self.browser = sit_down()
        rest, issuer, mcp = (f"http://127.0.0.1:{self.server.ports[name]}" for name in ("rest", "oauth", "mcp"))
        self.environment = {"EVDB": str(cli), "EVDB_MCP_URL": f"{mcp}/mcp",
                            "EVDB_ISSUER": issuer, "EVDB_API": rest, "EVDB_RESOURCE": f"{rest}/api/v1", "EVDB_AUDIENCE": issuer,
                            "EVDB_SECRET": secret, "EVDB_BROWSER": f"http://127.0.0.1:{self.browser.server_port}/",
                            "EVDB_JWKS_URL": f"{issuer}/oauth/jwks", "EVDB_TOKEN": self.server.token("judge", secret, "read write"),
                            **{f"EVDB_KEY_{kind.upper()}": str(key) for kind, (key, _) in keys.items()}}

    def stop(self):
        self.browser.shutdown()
        self.server.stop()
