"""signing_keys.py - keys that clients and issuers sign tokens with, made and used by the openssl program."""
import base64
import json
import pathlib
import re
import shutil
import subprocess

import pytest

needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="the program openssl, which signs, is not there")
KINDS = {"RS256": ("RSA", "rsa_keygen_bits:2048"), "ES256": ("EC", "ec_paramgen_curve:P-256"), "EdDSA": ("ED25519", None)}


def encode(data):
    if not isinstance(data, bytes):
        data = json.dumps(data).encode() if not isinstance(data, str) else data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*words, data=None):
    return subprocess.run(["openssl", *map(str, words)], input=data, check=True, capture_output=True, timeout=60).stdout


def der_numbers(der):
    """r and s of ASN.1, as 32 bytes each."""
    numbers, at = b"", 2
    for _ in range(2):
        size = der[at + 1]
        numbers += int.from_bytes(der[at + 2:at + 2 + size], "big").to_bytes(32, "big")
        at += 2 + size
    return numbers


class Key:
    """One private key in a file of `directory`."""

    def __init__(self, directory, algorithm, kid=None, bits=None):
        self.algorithm, self.kid = algorithm, kid
        kind, option = KINDS[algorithm]
        if bits:
            option = f"rsa_keygen_bits:{bits}"
        self.file = pathlib.Path(directory) / f"{algorithm}-{kid}-{len(list(pathlib.Path(directory).iterdir()))}.pem"
        openssl("genpkey", "-algorithm", kind, *(["-pkeyopt", option] if option else []), "-out", self.file)
        self.public = openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")

    def jwk(self, **more):
        if self.algorithm == "RS256":
            modulus = openssl("rsa", "-in", self.file, "-noout", "-modulus").decode()
            parts = {"kty": "RSA", "e": "AQAB", "n": encode(bytes.fromhex(re.search("=(.*)", modulus)[1]))}
        elif self.algorithm == "ES256":
            parts = {"kty": "EC", "crv": "P-256", "x": encode(self.public[-64:-32]), "y": encode(self.public[-32:])}
        else:
            parts = {"kty": "OKP", "crv": "Ed25519", "x": encode(self.public[-32:])}
        return {**parts, **({"kid": self.kid} if self.kid else {}), **more}

    def sign(self, text):
        if self.algorithm == "EdDSA":
            message = self.file.with_suffix(".message")
            message.write_bytes(text)  # openssl wants a file for this one
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.file, "-in", message)
        signature = openssl("dgst", "-sha256", "-sign", self.file, data=text)
        return der_numbers(signature) if self.algorithm == "ES256" else signature

    def token(self, claims, **header):
        header = {"alg": self.algorithm, "typ": "JWT", **({"kid": self.kid} if self.kid else {}), **header}
        text = f"{encode({name: value for name, value in header.items() if value is not None})}.{encode(claims)}"
        return f"{text}.{encode(self.sign(text.encode()))}"
