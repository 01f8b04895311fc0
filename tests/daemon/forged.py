"""forged.py - access tokens as only this database could sign them, with whatever they say: its keys are read out of system.db."""
import base64
import ctypes
import ctypes.util
import hashlib
import hmac
import json
import sqlite3


def letters(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(token, which):
    text = token.split(".")[which]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class Key:
    """The key pair of a seed, by libsodium."""

    def __init__(self, seed):
        self.sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
        assert self.sodium.sodium_init() >= 0
        public, self.secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(64)
        assert self.sodium.crypto_sign_seed_keypair(public, self.secret, seed) == 0
        self.public = public.raw

    def sign(self, data):
        signature = ctypes.create_string_buffer(64)
        assert self.sodium.crypto_sign_detached(signature, None, data, ctypes.c_ulonglong(len(data)), self.secret) == 0
        return signature.raw


class Forger:
    """Makes tokens like a good one, but for what is changed."""

    def __init__(self, directory, good):
        self.header, self.claims = part(good, 0), part(good, 1)
        database = sqlite3.connect(f"file:{directory}/system.db?mode=ro", uri=True)
        self.key = Key(database.execute("SELECT seed FROM signing WHERE kid=?", (self.header["kid"],)).fetchone()[0])
        database.close()

    def token(self, sign=None, header=(), **claims):
        """A claim that is None is left out. sign: from bytes to a signature; else the database's key does."""
        head = {**self.header, **dict(header)}
        said = {name: value for name, value in {**self.claims, **claims}.items() if value is not None}
        text = ".".join(letters(json.dumps(one, separators=(",", ":")).encode()) for one in (head, said))
        return f"{text}.{letters((sign or self.key.sign)(text.encode()))}"

    def unsigned(self, name="none"):
        return self.token(lambda data: b"", {"alg": name})

    def confused(self, secret):
        """HS256, for who takes the algorithm from the header and the public key for a secret."""
        return self.token(lambda data: hmac.digest(secret, data, hashlib.sha256), {"alg": "HS256"})
