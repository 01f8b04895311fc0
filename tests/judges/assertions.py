"""assertions.py - Authlib gets tokens by private_key_jwt, with keys of each kind, and uses them. One line a dialogue."""
import json
import os

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey, OKPKey, RSAKey

REST, OAUTH = os.environ["EVDB_REST"], f"{os.environ['EVDB_OAUTH']}/oauth/token"
ADMIN = {"Authorization": f"Bearer {os.environ['EVDB_ADMIN_TOKEN']}"}

for algorithm, key in (("RS256", RSAKey.generate_key(2048)), ("ES256", ECKey.generate_key("P-256")), ("EdDSA", OKPKey.generate_key("Ed25519"))):
    client = f"authlib-{algorithm.lower()}"
    registered = requests.post(f"{REST}/api/v1/clients", headers=ADMIN, timeout=60, json={
        "client_id": client, "token_endpoint_auth_method": "private_key_jwt", "grant_types": ["client_credentials", "refresh_token"],
        "jwks": {"keys": [key.as_dict(private=False)]}})
    assert registered.status_code == 201, registered.text
    with OAuth2Session(client, key, token_endpoint_auth_method="private_key_jwt") as session:
        session.register_client_auth_method(PrivateKeyJWT(OAUTH, alg=algorithm))
        token = session.fetch_token(OAUTH, grant_type="client_credentials")
        assert session.get(f"{REST}/api/v1/stores").json() == {"stores": []}
        assert session.refresh_token(OAUTH)["access_token"] != token["access_token"]
        assert session.get(f"{REST}/api/v1/stores").status_code == 200
    print(f"authlib private_key_jwt {algorithm}: {json.dumps(token['scope'])}")
