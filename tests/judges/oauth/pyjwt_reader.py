"""tokens.py - PyJWT reads evdbd's access token by the keys that evdbd publishes. One line for each dialogue that went well."""
import os

import jwt

token, keys = os.environ["EVDB_TOKEN"], jwt.PyJWKClient(os.environ["EVDB_JWKS_URL"])


def read(audience=os.environ["EVDB_AUDIENCE"], issuer=os.environ["EVDB_ISSUER"], text=token):
    key = keys.get_signing_key_from_jwt(text)
    return jwt.decode(text, key.key, algorithms=["EdDSA"], audience=audience, issuer=issuer,
                      options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"]})


claims = read()
assert claims["client_id"] == claims["sub"] and claims["scope"] == "read write", claims
assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
print("a token is read by the published keys")

for wrong in ({"audience": "another"}, {"issuer": "another"}):
    try:
        read(**wrong)
    except jwt.InvalidTokenError:
        continue
    raise AssertionError(f"{wrong} was taken")
print("it is for its issuer and audience alone")

head, body, signature = token.split(".")
try:
    read(text=f"{head}.{body}.{'A' * len(signature)}")
    raise AssertionError("another signature was taken")
except jwt.InvalidSignatureError:
    print("another signature is not one")
