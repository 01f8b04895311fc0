"""authlib_client.py - PyPI's Authlib asks evdbd for tokens."""
import os
import urllib.request

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # on loopback
import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.jwk import ECKey, OKPKey, RSAKey

ISSUER, API, SECRET = os.environ["EVDB_ISSUER"], os.environ["EVDB_API"], os.environ["EVDB_SECRET"]
METADATA = requests.get(ISSUER + "/.well-known/oauth-authorization-server").json()
TOKEN = METADATA["token_endpoint"]


def said(text):
    print("Authlib: " + text, flush=True)


def used(session):
    answer = session.get(API + "/api/v1/stores")
    assert answer.status_code == 200, answer.text


for method in ("client_secret_basic", "client_secret_post"):
    session = OAuth2Session("judge", SECRET, scope="read", token_endpoint_auth_method=method)
    session.fetch_token(TOKEN, grant_type="client_credentials")
    used(session)
    said(f"client_credentials, {method}")

for kind, alg, Key in (("es256", "ES256", ECKey), ("rs256", "RS256", RSAKey), ("eddsa", "EdDSA", OKPKey)):
    with open(os.environ[f"EVDB_KEY_{kind.upper()}"]) as pem:
        key = Key.import_key(pem.read())
    session = OAuth2Session(f"judge-{kind}", key, scope="read", token_endpoint_auth_method="private_key_jwt")
    session.register_client_auth_method(PrivateKeyJWT(TOKEN, alg=alg))
    session.fetch_token(TOKEN, grant_type="client_credentials")
    used(session)
    said(f"client_credentials, private_key_jwt, {alg}")

verifier = generate_token(48)
session = OAuth2Session("judge-public", scope="read", redirect_uri="http://127.0.0.1:1234/cb", token_endpoint_auth_method="none",
                        code_challenge_method="S256")
url, state = session.create_authorization_url(METADATA["authorization_endpoint"], code_verifier=verifier)
assert create_s256_code_challenge(verifier) in url
back = urllib.request.urlopen(os.environ["EVDB_BROWSER"] + "?url=" + urllib.request.quote(url, safe="")).read().decode()
first = session.fetch_token(TOKEN, authorization_response=back, code_verifier=verifier, state=state)
used(session)
said("authorization_code with PKCE, a public client")
second = session.refresh_token(TOKEN, refresh_token=first["refresh_token"])
used(session)
said("refresh_token")
try:
    session.refresh_token(TOKEN, refresh_token=first["refresh_token"])
    raise SystemExit("a refresh token was good twice")
except OAuthError as error:
    assert error.error == "invalid_grant", error
said("a refresh token used twice is refused")
session = OAuth2Session("judge", SECRET, scope="read")
token = session.fetch_token(TOKEN, grant_type="client_credentials")["access_token"]
assert session.introspect_token(METADATA["introspection_endpoint"], token=token).json()["active"] is True
assert session.revoke_token(METADATA["revocation_endpoint"], token=token).status_code == 200
assert session.introspect_token(METADATA["introspection_endpoint"], token=token).json() == {"active": False}
said("introspection and revocation")
