"""Signature Version 4 and HTTP by hand, to send what boto3 would not let through.

After the specification: "Signature Calculations for the Authorization Header" and "Transferring Payload in
Multiple Chunks" of the Amazon S3 API reference.
"""

import base64
import datetime
import hashlib
import hmac
import http.client
import re
import socket
import urllib.parse
import zlib

EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
STREAMING_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
STREAMING_UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def md5(body):
    return base64.b64encode(hashlib.md5(body).digest()).decode()


def crc32(body):
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def sha256(body):
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def sha1(body):
    return base64.b64encode(hashlib.sha1(body).digest()).decode()


def _reflected(body, polynomial, bits):
    """A reflected CRC, bit by bit table."""
    mask = (1 << bits) - 1
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (polynomial if byte & 1 else 0)
        table.append(byte)
    crc = mask
    for byte in body:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return base64.b64encode((crc ^ mask).to_bytes(bits // 8, "big")).decode()


def crc32c(body):
    return _reflected(body, 0x82F63B78, 32)


def crc64nvme(body):
    return _reflected(body, 0x9A6C9329AC4BC9B5, 64)


class Answer:
    """An HTTP answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @property
    def code(self):
        found = re.search(rb"<Code>([^<]*)</Code>", self.body)
        return found.group(1).decode() if found else None

    def __eq__(self, other):
        return (self.code, self.status) == other

    def __repr__(self):
        return f"({self.code!r}, {self.status}): {self.body[:300]!r}"


def quote_path(path):
    return urllib.parse.quote(path, safe="/-_.~")


def canonical_query(query):
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    decoded = [(urllib.parse.unquote_plus(name), urllib.parse.unquote_plus(value)) for name, _, value in pairs]
    encoded = sorted(
        (urllib.parse.quote(name, safe="-_.~"), urllib.parse.quote(value, safe="-_.~")) for name, value in decoded
    )
    return "&".join(f"{name}={value}" for name, value in encoded)


class Raw:
    """Signs and sends requests."""

    def __init__(self, endpoint, access_key, secret_key, region="us-east-1"):
        url = urllib.parse.urlsplit(endpoint)
        self.name, self.port = url.hostname, url.port
        self.host = url.netloc
        self.access_key, self.secret_key, self.region = access_key, secret_key, region

    def key(self, date):
        key = ("AWS4" + self.secret_key).encode()
        for part in [date, self.region, "s3", "aws4_request"]:
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key

    def hmac(self, date, text):
        return hmac.new(self.key(date), text.encode(), hashlib.sha256).hexdigest()

    def sign(self, method, path, query="", headers=None, payload=UNSIGNED, now=None, unsigned=()):
        """The headers of a signed request. `path` is as sent. Headers named in `unsigned` stay unsigned."""
        now = now or datetime.datetime.now(datetime.timezone.utc)
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        headers = {name.lower(): value for name, value in (headers or {}).items()}
        headers.update({"host": self.host, "x-amz-date": stamp, "x-amz-content-sha256": payload})
        names = sorted(name for name in headers if name not in unsigned)
        scope = f"{stamp[:8]}/{self.region}/s3/aws4_request"
        signed = ";".join(names)
        canonical = "\n".join(
            [method, path, canonical_query(query)]
            + [f"{name}:{' '.join(headers[name].split())}" for name in names]
            + ["", signed, payload]
        )
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        signature = self.hmac(stamp[:8], text)
        credential = f"{self.access_key}/{scope}"
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}"
        )
        return headers

    def presign(self, method, path, expires=60, headers=None, now=None, query=""):
        """The query of a presigned request."""
        now = now or datetime.datetime.now(datetime.timezone.utc)
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{stamp[:8]}/{self.region}/s3/aws4_request"
        headers = {name.lower(): value for name, value in (headers or {}).items()} | {"host": self.host}
        signed = ";".join(sorted(headers))
        fields = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{self.access_key}/{scope}",
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(expires),
            "X-Amz-SignedHeaders": signed,
        }
        query = "&".join([query] * bool(query) + [urllib.parse.urlencode(fields)])
        canonical = "\n".join(
            [method, path, canonical_query(query)]
            + [f"{name}:{headers[name]}" for name in sorted(headers)]
            + ["", signed, UNSIGNED]
        )
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        return f"{query}&X-Amz-Signature={self.hmac(stamp[:8], text)}"

    def send(self, method, path, query="", headers=None, body=b""):
        """Sends headers just as they are given. `path` is as sent."""
        connection = http.client.HTTPConnection(self.name, self.port, timeout=30)
        try:
            connection.putrequest(
                method, path + ("?" + query if query else ""), skip_host=True, skip_accept_encoding=True
            )
            headers = {name.lower(): value for name, value in (headers or {}).items()}
            headers.setdefault("host", self.host)
            if "content-length" not in headers and "transfer-encoding" not in headers:
                headers["content-length"] = str(len(body))
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            try:
                connection.send(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before the body was read; the answer is there
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def call(self, method, path, query="", headers=None, body=b"", payload=None, **signing):
        """Signs and sends. The payload's hash is signed unless something else is given."""
        payload = hashlib.sha256(body).hexdigest() if payload is None else payload
        signed = self.sign(method, path, query, headers, payload, **signing)
        return self.send(method, path, query, signed, body)

    def cut_short(self, method, path, headers, body):
        """Announces what `headers` say, sends only `body`, and ends the sending side."""
        with socket.create_connection((self.name, self.port), timeout=30) as connection:
            head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers.items()) + "\r\n"
            connection.sendall(head.encode() + body)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            return answer

    # aws-chunked

    def chunked(self, path, chunks, headers=None, trailer=None, payload=STREAMING, decoded=None, spoil=None, now=None):
        """Head and body of an aws-chunked PUT.

        `trailer` is (name, value). `spoil(index, data, signature)` may change what is sent of a chunk behind
        its signature's back; index -1 is the trailer.
        """
        now = now or datetime.datetime.now(datetime.timezone.utc)
        length = sum(len(chunk) for chunk in chunks) if decoded is None else decoded
        headers = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(length), **(headers or {})}
        if trailer:
            headers["x-amz-trailer"] = trailer[0]
        signed = self.sign("PUT", path, "", headers, payload, now)
        previous = signed["authorization"].rpartition("=")[2]
        stamp, date = signed["x-amz-date"], signed["x-amz-date"][:8]
        scope = f"{date}/{self.region}/s3/aws4_request"
        body = b""
        for index, chunk in enumerate([*chunks, b""]):
            head = f"{len(chunk):x}"
            if payload != STREAMING_UNSIGNED:
                text = "\n".join(
                    ["AWS4-HMAC-SHA256-PAYLOAD", stamp, scope, previous, EMPTY, hashlib.sha256(chunk).hexdigest()]
                )
                previous = signature = self.hmac(date, text)
                if spoil:
                    chunk, signature = spoil(index, chunk, signature)
                head += f";chunk-signature={signature}"
            if index < len(chunks):
                body += head.encode() + b"\r\n" + chunk + b"\r\n"
            else:
                body += head.encode() + b"\r\n"
        if trailer:
            line = f"{trailer[0]}:{trailer[1]}"
            body += line.encode() + b"\r\n"
            if payload == STREAMING_TRAILER:
                digest = hashlib.sha256((line + "\n").encode()).hexdigest()
                signature = self.hmac(
                    date, "\n".join(["AWS4-HMAC-SHA256-TRAILER", stamp, scope, previous, digest])
                )
                if spoil:
                    _, signature = spoil(-1, b"", signature)
                body += f"x-amz-trailer-signature:{signature}\r\n".encode()
        return signed, body + b"\r\n"

    def put_chunked(self, path, chunks, **arguments):
        headers, body = self.chunked(path, chunks, **arguments)
        return self.send("PUT", path, "", headers, body)
