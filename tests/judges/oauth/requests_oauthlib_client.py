"""requests_oauthlib_client.py - PyPI's requests-oauthlib (on oauthlib) asks evdbd for tokens."""
import os
import urllib.request

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # on loopback
import requests
from oauthlib.oauth2 import BackendApplicationClient, InvalidGrantError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

ISSUER, API, SECRET = os.environ["EVDB_ISSUER"], os.environ["EVDB_API"], os.environ["EVDB_SECRET"]
METADATA = requests.get(ISSUER + "/.well-known/oauth-authorization-server").json()
TOKEN = METADATA["token_endpoint"]


def said(text):
    print("requests-oauthlib: " + text, flush=True)


def used(session):
    answer = session.get(API + "/api/v1/stores")
    assert answer.status_code == 200, answer.text


session = OAuth2Session(client=BackendApplicationClient("judge", scope=["read"]), scope=["read"])
session.fetch_token(TOKEN, auth=HTTPBasicAuth("judge", SECRET))
used(session)
said("client_credentials, client_secret_basic")
session = OAuth2Session(client=BackendApplicationClient("judge", scope=["read"]), scope=["read"])
session.fetch_token(TOKEN, client_id="judge", client_secret=SECRET, include_client_id=True)
used(session)
said("client_credentials, client_secret_post")

session = OAuth2Session("judge-public", redirect_uri="http://127.0.0.1:1234/cb", scope=["read"], pkce="S256")
url, state = session.authorization_url(METADATA["authorization_endpoint"])
back = urllib.request.urlopen(os.environ["EVDB_BROWSER"] + "?url=" + urllib.request.quote(url, safe="")).read().decode()
first = session.fetch_token(TOKEN, authorization_response=back, include_client_id=True)
used(session)
said("authorization_code with PKCE, a public client")
session.refresh_token(TOKEN, refresh_token=first["refresh_token"], client_id="judge-public")
used(session)
said("refresh_token")
try:
    session.refresh_token(TOKEN, refresh_token=first["refresh_token"], client_id="judge-public")
    raise SystemExit("a refresh token was good twice")
except InvalidGrantError:
    said("a refresh token used twice is refused")
