"""A token endpoint on loopback, for assertions (RFC 7523 section 2.1) most of all.

    python server.py KEYS [PORT]

KEYS is a folder with one folder per issuer, named as the issuer, in which `KID.pem` is the public key
of assertions with that `kid`, and `_.pem` that of assertions without any. PORT 0, the default, takes a
free one. Prints `ready PORT` once it listens, and ends when its standard input does.

    POST /token      a token for an assertion, or for the client of `CLIENT` by HTTP Basic (RFC 6749
                     section 4.4); or an error as RFC 6749 section 5.2 has it
    GET  /resource   200 with what the bearer token was given for, else 401

The signature's algorithm must be the one of the issuer's key, whatever the assertion says; each `jti`
is taken once. Signatures and claims are checked by joserfc; authlib reads HTTP Basic and writes errors.
"""

import json
import secrets
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from os import _exit
from pathlib import Path
from urllib.parse import parse_qs

from authlib.oauth2.rfc6749 import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    OAuth2Error,
    UnsupportedGrantTypeError,
)
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# No space: authlib takes `%20` for one, not the `+` of a form.
CLIENT = ("café:50%", "s/é+c%r:%C3")
LONGEST_LIFE = 3600
LEEWAY = 5


def read_key(pem):
    """A public key, and the one algorithm that it verifies."""
    public = load_pem_public_key(pem)
    if isinstance(public, rsa.RSAPublicKey):
        return RSAKey.import_key(pem), "RS256"
    if isinstance(public, ed25519.Ed25519PublicKey):
        return OKPKey.import_key(pem), "EdDSA"
    if isinstance(public, ec.EllipticCurvePublicKey):
        return ECKey.import_key(pem), {"secp256r1": "ES256", "secp384r1": "ES384"}[public.curve.name]
    raise SystemExit(f"a key that no assertion is signed with: {type(public).__name__}")


class Grants:
    """Which assertions were taken, and which tokens were given for them."""

    def __init__(self, folder):
        self.keys = {
            (path.parent.name, None if path.stem == "_" else path.stem): read_key(path.read_bytes())
            for path in Path(folder).glob("*/*.pem")
        }
        self.audience = None
        self.taken = set()
        self.tokens = {}
        self.lock = threading.Lock()

    def grant(self, headers, body):
        if headers.get("content-type") != "application/x-www-form-urlencoded":
            raise InvalidRequestError("the request is no form")
        form = parse_qs(body, keep_blank_values=True, strict_parsing=True)
        if any(len(values) != 1 for values in form.values()):
            raise InvalidRequestError("a parameter is given twice")
        given_for = self.given_for(form.get("grant_type", [None])[0], form, headers)
        token = secrets.token_urlsafe(32)
        with self.lock:
            self.tokens[token] = given_for
        return {"access_token": token, "token_type": "Bearer", "expires_in": 60}

    def given_for(self, grant_type, form, headers):
        if grant_type == "client_credentials":
            if extract_basic_authorization(headers) != CLIENT:
                raise InvalidClientError("no such client and secret", status_code=401)
            return {"client": CLIENT[0]}
        if grant_type != GRANT_TYPE:
            raise UnsupportedGrantTypeError(grant_type)
        if "assertion" not in form:
            raise InvalidRequestError("no assertion")
        return self.take(form["assertion"][0])

    def take(self, assertion):
        try:
            unverified = jws.extract_compact(assertion.encode())
            header, issuer = unverified.headers(), json.loads(unverified.payload).get("iss")
        except (JoseError, ValueError, AttributeError) as error:
            raise InvalidGrantError("the assertion is no JWT") from error
        if not isinstance(issuer, str) or (issuer, header.get("kid")) not in self.keys:
            raise InvalidGrantError("no key of that issuer and kid")
        key, algorithm = self.keys[issuer, header.get("kid")]
        try:
            claims = jwt.decode(assertion, key, algorithms=[algorithm]).claims
            jwt.JWTClaimsRegistry(
                leeway=LEEWAY,
                iss={"essential": True, "value": issuer},
                sub={"essential": True},
                aud={"essential": True, "value": self.audience},
                exp={"essential": True},
                iat={"essential": True},
                jti={"essential": True},
            ).validate(claims)
        except (JoseError, ValueError) as error:
            raise InvalidGrantError(f"the assertion is refused: {error}") from error
        if not time.time() - LEEWAY <= claims["exp"] <= claims["iat"] + LONGEST_LIFE:
            raise InvalidGrantError("the assertion has expired, or lives too long")
        with self.lock:
            if (issuer, claims["jti"]) in self.taken:
                raise InvalidGrantError("the assertion was used before")
            self.taken.add((issuer, claims["jti"]))
        return {"iss": issuer, "sub": claims["sub"], "alg": header["alg"], "kid": header.get("kid")}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A head and a body that are written apart would wait for each other's acknowledgement.
    disable_nagle_algorithm = True
    grants = None

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path != "/token":
            return self.answer(404, {})
        try:
            return self.answer(200, self.grants.grant(self.headers, body.decode()))
        except OAuth2Error as error:
            status, said, _ = error()
            return self.answer(status, dict(said))
        except ValueError:
            return self.answer(400, {"error": "invalid_request"})

    def do_GET(self):
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        given_for = self.grants.tokens.get(token) if scheme == "Bearer" else None
        if self.path != "/resource" or given_for is None:
            return self.answer(401, {"error": "invalid_token"})
        return self.answer(200, given_for)

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def end_with_standard_input():
    sys.stdin.read()
    _exit(0)


def main():
    folder, port = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
    Handler.grants = Grants(folder)
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    Handler.grants.audience = f"http://127.0.0.1:{server.server_port}/token"
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    print(f"ready {server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
