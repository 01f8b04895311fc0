"""certificates.py - keys and certificates for tests, made by openssl."""
import pathlib
import ssl
import subprocess

KINDS = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}
LOCALHOST = "DNS:localhost,IP:127.0.0.1"


class Certificate:
    def __init__(self, path):
        self.file, self.key = path.with_suffix(".pem"), path.with_suffix(".key")

    def flags(self):
        """What evdbd is told of it."""
        return [f"--tls-cert-file={self.file}", f"--tls-key-file={self.key}"]

    def client(self):
        """A context that trusts it alone."""
        return ssl.create_default_context(cafile=self.file)

    def der(self):
        return ssl.PEM_cert_to_DER_cert(self.file.read_text())

    def copy(self, other):
        """Puts another one in its place: the certificate first, each file as one whole."""
        for here, there in ((self.file, other.file), (self.key, other.key)):
            new = here.with_name(here.name + ".new")
            new.touch(mode=0o600)
            new.write_bytes(there.read_bytes())
            new.rename(here)


def self_signed(path, names=LOCALHOST, kind="ec"):
    """Makes path.pem and path.key."""
    made = Certificate(pathlib.Path(path))
    subprocess.run(["openssl", "req", "-x509", "-newkey", *KINDS[kind], "-nodes", "-days", "2", "-subj", f"/CN={made.file.stem}", "-addext",
                    f"subjectAltName={names}", "-keyout", made.key, "-out", made.file], check=True, capture_output=True)
    made.key.chmod(0o600)
    return made


def chain(path):
    """An issuer (path-ca.pem) and a certificate of it, whose file has both."""
    issuer, own = self_signed(f"{path}-ca", "DNS:issuer"), Certificate(pathlib.Path(path))
    request = own.file.with_suffix(".csr")
    extension = own.file.with_suffix(".ext")
    extension.write_text(f"subjectAltName={LOCALHOST}\nbasicConstraints=CA:FALSE\n")
    subprocess.run(["openssl", "req", "-newkey", *KINDS["rsa"], "-nodes", "-subj", "/CN=leaf", "-keyout", own.key, "-out", request],
                   check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-days", "2", "-in", request, "-CA", issuer.file, "-CAkey", issuer.key, "-CAcreateserial",
                    "-extfile", extension, "-out", own.file], check=True, capture_output=True)
    own.file.write_text(own.file.read_text() + issuer.file.read_text())
    own.key.chmod(0o600)
    return issuer, own
