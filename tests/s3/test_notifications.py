"""Bucket notifications to webhooks: a node of its own, and a receiver that can be made to fail."""

import hashlib
import hmac
import http.server
import json
import os
import re
import signal
import ssl
import subprocess
import threading
import time
import urllib.request

import boto3
import pytest
from botocore.config import Config

from conftest import REGION, refused

BIN = os.environ.get("STEAD_BIN")
ARN = "arn:stead:webhook:::"
pytestmark = pytest.mark.skipif(not BIN, reason="needs STEAD_BIN")


class Receiver:
    """A webhook: keeps what it is sent, unless it is told to answer otherwise."""

    def __init__(self, certificate=None):
        self.messages, self.headers, self.status, self.hits = [], [], 200, 0
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver.hits += 1
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.status
                if status == 200:
                    receiver.headers.append(dict(self.headers))
                    receiver.messages.append(body)
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def records(self):
        return [record for body in list(self.messages) for record in json.loads(body)["Records"]]

    def wait(self, count, seconds=20):
        until = time.monotonic() + seconds
        while len(self.records()) < count and time.monotonic() < until:
            time.sleep(0.02)
        return self.records()


class Node:
    def __init__(self, data):
        self.data = data

    def start(self):
        command = [BIN, "--data", str(self.data), "--json", "up", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ready = json.loads(self.process.stdout.readline())
        self.api = ready["endpoints"]["api"]
        root = json.loads((self.data / "root.json").read_text())
        self.s3 = boto3.client(
            "s3",
            endpoint_url=ready["endpoints"]["s3"],
            aws_access_key_id=root["access_key"],
            aws_secret_access_key=root["secret_key"],
            region_name=REGION,
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )
        return self.s3

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(timeout=60)


@pytest.fixture(scope="module")
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of localhost that only its own file vouches for, with its key."""
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        + ["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", str(file), "-out", f"{file}.crt"],
        check=True,
        capture_output=True,
    )
    file.write_text(file.read_text() + (file.parent / f"{file.name}.crt").read_text())
    return file


@pytest.fixture(scope="module")
def secure(certificate):
    receiver = Receiver(certificate)
    yield receiver
    receiver.server.shutdown()


@pytest.fixture(scope="module")
def node(tmp_path_factory, receiver, secure, certificate):
    data = tmp_path_factory.mktemp("notify") / "data"
    data.mkdir(mode=0o700)
    (data / "stead.toml").write_text(
        f"""
[[webhook]]
name = "hook"
url = "http://localhost:{receiver.port}/in?a=b"
secret = "a long secret"
allow_private = true

[[webhook]]
name = "secure"
url = "https://localhost:{secure.port}/in"
ca = "{certificate}.crt"
allow_private = true

[[webhook]]
name = "stranger"
url = "https://localhost:{secure.port}/in"
allow_private = true

[[webhook]]
name = "misnamed"
url = "https://127.0.0.1:{secure.port}/in"
ca = "{certificate}.crt"
allow_private = true

[[webhook]]
name = "refused"
url = "http://127.0.0.1:{receiver.port}/private"
"""
    )
    node = Node(data)
    node.start()
    yield node
    node.stop()


_names = iter(range(1000))


@pytest.fixture
def bucket(node, receiver):
    name = f"bucket-{next(_names)}"
    node.s3.create_bucket(Bucket=name)
    receiver.status = 200
    receiver.messages.clear()
    receiver.headers.clear()
    yield name
    receiver.status = 200
    node.s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={})


def topic(events, hook="hook", **filters):
    one = {"TopicArn": ARN + hook, "Events": events}
    if filters:
        one["Filter"] = {"Key": {"FilterRules": [{"Name": n.title(), "Value": v} for n, v in filters.items()]}}
    return one


def configure(node, bucket, *topics):
    document = {"TopicConfigurations": list(topics)}
    node.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=document)


def test_the_configuration_is_kept(node, bucket):
    get = node.s3.get_bucket_notification_configuration
    assert "TopicConfigurations" not in get(Bucket=bucket)
    one = topic(["s3:ObjectCreated:*"], prefix="in/", suffix=".png") | {"Id": "one"}
    queue = {"Id": "two", "QueueArn": ARN + "hook", "Events": ["s3:ObjectRemoved:*"]}
    function = {"Id": "three", "LambdaFunctionArn": ARN + "hook", "Events": ["s3:ObjectTagging:Put"]}
    document = {
        "TopicConfigurations": [one],
        "QueueConfigurations": [queue],
        "LambdaFunctionConfigurations": [function],
    }
    node.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=document)
    found = get(Bucket=bucket)
    del found["ResponseMetadata"]
    assert found == document
    configure(node, bucket, topic(["s3:ObjectCreated:*"]))
    assert get(Bucket=bucket)["TopicConfigurations"][0]["Id"]


@pytest.mark.parametrize(
    "topics",
    [
        [topic(["s3:ObjectCreated:*"], hook="unknown")],
        [topic(["s3:ObjectCreated:*"]) | {"TopicArn": "arn:aws:sns:us-east-1:1:topic"}],
        [topic(["s3:Novelty"])],
        [topic(["s3:ObjectCreated:*"], middle="x")],
        [topic(["s3:ObjectCreated:*"]), topic(["s3:ObjectCreated:Put"])],
        [topic(["s3:ObjectCreated:*"]) | {"Id": "a"}, topic(["s3:ObjectRemoved:*"]) | {"Id": "a"}],
    ],
)
def test_configurations_that_are_refused(node, bucket, topics):
    document = {"TopicConfigurations": topics}
    call = node.s3.put_bucket_notification_configuration
    assert refused(call, Bucket=bucket, NotificationConfiguration=document) == ("InvalidArgument", 400)


def test_records_say_what_happened(node, receiver, bucket):
    configure(node, bucket, topic(["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*"]) | {"Id": "all"})
    key = "a b/é+.txt"
    put = node.s3.put_object(Bucket=bucket, Key=key, Body=b"text")
    node.s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    node.s3.put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    node.s3.delete_object_tagging(Bucket=bucket, Key=key)
    node.s3.delete_object(Bucket=bucket, Key=key)
    records = receiver.wait(5)
    assert [record["eventName"] for record in records] == [
        "ObjectCreated:Put",
        "ObjectCreated:Copy",
        "ObjectTagging:Put",
        "ObjectTagging:Delete",
        "ObjectRemoved:Delete",
    ]
    first = records[0]
    assert (first["eventVersion"], first["eventSource"], first["awsRegion"]) == ("2.1", "aws:s3", "us-east-1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", first["eventTime"])
    assert first["userIdentity"]["principalId"] == "root"
    assert first["requestParameters"]["sourceIPAddress"] == "127.0.0.1"
    assert first["responseElements"]["x-amz-request-id"] == put["ResponseMetadata"]["RequestId"]
    assert first["s3"]["configurationId"] == "all"
    assert first["s3"]["bucket"]["arn"] == f"arn:aws:s3:::{bucket}"
    thing = first["s3"]["object"]
    assert (thing["key"], thing["size"], f'"{thing["eTag"]}"') == ("a+b/%C3%A9%2B.txt", 4, put["ETag"])
    order = [record["s3"]["object"]["sequencer"] for record in records]
    assert order == sorted(order) and len(set(order)) == 5


def test_messages_are_signed(node, receiver, bucket):
    configure(node, bucket, topic(["s3:ObjectCreated:*"]))
    node.s3.put_object(Bucket=bucket, Key="k", Body=b"")
    receiver.wait(1)
    at, signature = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", receiver.headers[0]["x-stead-signature"]).groups()
    expected = hmac.new(b"a long secret", at.encode() + b"." + receiver.messages[0], hashlib.sha256).hexdigest()
    assert signature == expected and abs(int(at) - time.time()) < 60


def test_only_what_was_asked_for(node, receiver, bucket):
    node.s3.put_object(Bucket=bucket, Key="in/before.png", Body=b"")
    configure(node, bucket, topic(["s3:ObjectCreated:Put"], prefix="in/", suffix=".png"))
    for key in ["out/a.png", "in/a.txt", "in/a.png"]:
        node.s3.put_object(Bucket=bucket, Key=key, Body=b"")
    node.s3.delete_object(Bucket=bucket, Key="in/a.png")
    node.s3.put_object(Bucket=bucket, Key="in/z.png", Body=b"")
    assert [record["s3"]["object"]["key"] for record in receiver.wait(2)] == ["in/a.png", "in/z.png"]


def test_versions(node, receiver, bucket):
    node.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    configure(node, bucket, topic(["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]))
    version = node.s3.put_object(Bucket=bucket, Key="k", Body=b"")["VersionId"]
    marker = node.s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    node.s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    found = [(one["eventName"], one["s3"]["object"].get("versionId")) for one in receiver.wait(3)]
    assert found == [
        ("ObjectCreated:Put", version),
        ("ObjectRemoved:DeleteMarkerCreated", marker),
        ("ObjectRemoved:Delete", version),
    ]


@pytest.mark.parametrize("status", [500, 302])
def test_a_webhook_that_fails_is_tried_again(node, receiver, bucket, status):
    configure(node, bucket, topic(["s3:ObjectCreated:*"]))
    receiver.status, hits = status, receiver.hits
    for number in range(5):
        node.s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"")
    until = time.monotonic() + 20
    while receiver.hits < hits + 2 and time.monotonic() < until:
        time.sleep(0.02)
    assert receiver.hits >= hits + 2 and not receiver.messages
    receiver.status = 200
    keys = [record["s3"]["object"]["key"] for record in receiver.wait(5)]
    assert keys == [f"k{number}" for number in range(5)]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_missed_across_restarts(node, receiver, bucket, how):
    configure(node, bucket, topic(["s3:ObjectCreated:*"]))
    node.s3.put_object(Bucket=bucket, Key="k0", Body=b"")
    receiver.wait(1)
    receiver.status = 503
    for number in range(1, 20):
        node.s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"")
    node.stop(how)
    receiver.status = 200
    node.start()
    until = time.monotonic() + 30
    while time.monotonic() < until:
        keys = [record["s3"]["object"]["key"] for record in receiver.records()]
        if "k19" in keys:
            break
        time.sleep(0.05)
    # At least once, and in order: what comes twice comes before what is new.
    once = list(dict.fromkeys(keys))
    assert once == [f"k{number}" for number in range(20)]
    if how == signal.SIGTERM:
        assert len(keys) == 20


def test_private_addresses_are_refused(node, receiver, bucket):
    configure(node, bucket, topic(["s3:ObjectCreated:*"], hook="refused"))
    hits = receiver.hits
    node.s3.put_object(Bucket=bucket, Key="k", Body=b"")
    command = [BIN, "--data", str(node.data), "--json", "doctor"]
    until = time.monotonic() + 20
    while time.monotonic() < until:
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        if "not a public address" in said:
            break
        time.sleep(0.2)
    assert "not a public address" in said and "webhook refused" in said
    assert receiver.hits == hits


def test_over_tls(node, secure, bucket):
    configure(node, bucket, topic(["s3:ObjectCreated:*"], hook="secure"))
    for number in range(3):
        node.s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"")
    assert [record["s3"]["object"]["key"] for record in secure.wait(3)] == ["k0", "k1", "k2"]


@pytest.mark.parametrize("hook", ["stranger", "misnamed"])
def test_certificates_that_are_not_good(node, secure, bucket, hook):
    secure.messages.clear()
    configure(node, bucket, topic(["s3:ObjectCreated:*"], hook=hook))
    node.s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert "invalid peer certificate" in said_of(node, hook, "invalid peer certificate")
    assert not secure.messages


def said_of(node, hook, wanted):
    command = [BIN, "--data", str(node.data), "--json", "doctor"]
    until = time.monotonic() + 20
    while time.monotonic() < until:
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        checks = [check for check in json.loads(said)["checks"] if check["name"] == f"webhook {hook}"]
        if checks and wanted in json.dumps(checks):
            break
        time.sleep(0.2)
    return json.dumps(checks)


def metrics(node):
    with urllib.request.urlopen(f"{node.api}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("stead_webhook")}


def test_figures(node, receiver, bucket):
    name = lambda what: f'stead_webhook_{what}{{webhook="hook"}}'
    configure(node, bucket, topic(["s3:ObjectCreated:*"]))
    before = metrics(node)
    receiver.status, hits = 500, receiver.hits
    for number in range(7):
        node.s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"")
    until = time.monotonic() + 20
    while receiver.hits < hits + 2 and time.monotonic() < until:
        time.sleep(0.02)
    stuck = metrics(node)
    assert stuck[name("retries_total")] >= before.get(name("retries_total"), 0) + 2
    assert stuck[name("lag_positions")] >= 7
    receiver.status = 200
    receiver.wait(7)
    while (after := metrics(node))[name("lag_positions")] > 0 and time.monotonic() < until + 10:
        time.sleep(0.1)
    assert after[name("lag_positions")] == 0
    assert after[name("records_total")] >= before.get(name("records_total"), 0) + 7
