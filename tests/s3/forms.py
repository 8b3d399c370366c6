"""HTML forms by hand: what a browser sends, and what no browser would."""

import base64
import datetime
import hashlib
import hmac
import json
import uuid

from conftest import ACCESS_KEY, ENDPOINT, SECRET_KEY
from web import send


def later(seconds=3600):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def encode(document):
    text = document if isinstance(document, str) else json.dumps(document)
    return base64.b64encode(text.encode()).decode()


def sign(policy, secret=SECRET_KEY):
    """The signature of Version 2."""
    return base64.b64encode(hmac.new(secret.encode(), policy.encode(), hashlib.sha1).digest()).decode()


def policy(bucket, *conditions, key="", expiration=None):
    """A policy that a usual form keeps to, with more conditions."""
    usual = [{"bucket": bucket}, ["starts-with", "$key", key], *conditions]
    return {"expiration": expiration or later(), "conditions": usual}


def fields(document, key="folder/a.txt", access_key=ACCESS_KEY, secret=SECRET_KEY, **more):
    """The fields of a form that is signed with Version 2."""
    text = encode(document)
    named = {"key": key, "AWSAccessKeyId": access_key, "signature": sign(text, secret), "policy": text}
    return {name: value for name, value in named.items() if value is not None} | {
        name.replace("_", "-"): value for name, value in more.items()
    }


def body(form, file=("a.txt", b"the file", "text/plain"), after=()):
    """The form's bytes and content type. `form` is a dict, or pairs."""
    boundary = uuid.uuid4().hex
    parts = []
    pairs = form.items() if isinstance(form, dict) else form
    for name, value in pairs:
        value = value if isinstance(value, bytes) else str(value).encode()
        parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value)
    if file is not None:
        name, content, kind = file
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
        parts.append(head.encode() + content)
    for name, value in after:
        parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode())
    mark = f"--{boundary}".encode()
    whole = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
    return whole, f"multipart/form-data; boundary={boundary}"


def post(bucket, form, file=("a.txt", b"the file", "text/plain"), headers=None, path=None, **options):
    whole, kind = body(form, file, **options)
    return send("POST", f"{ENDPOINT}/{path or bucket}", whole, {"Content-Type": kind, **(headers or {})})
