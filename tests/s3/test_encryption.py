"""Server-side encryption: asked for it is refused, and asked for wrongly it has the error that Amazon has for that."""

import base64
import hashlib

import pytest

from conftest import keys_of, refused

KEY = bytes(range(32))
ALGORITHM = "x-amz-server-side-encryption-customer-algorithm"
CUSTOMER = "x-amz-server-side-encryption-customer-key"
CUSTOMER_MD5 = "x-amz-server-side-encryption-customer-key-MD5"


def b64(data):
    return base64.b64encode(data).decode()


WHOLE = {ALGORITHM: "AES256", CUSTOMER: b64(KEY), CUSTOMER_MD5: b64(hashlib.md5(KEY).digest())}


def without(name):
    return {key: value for key, value in WHOLE.items() if key != name}


@pytest.mark.parametrize("headers, answer", [
    ({"x-amz-server-side-encryption": "AES256"}, ("NotImplemented", 501)),
    ({"x-amz-server-side-encryption": "aws:kms"}, ("NotImplemented", 501)),
    ({"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": "k"},
     ("NotImplemented", 501)),
    ({"x-amz-server-side-encryption": "rot13"}, ("InvalidArgument", 400)),
    ({"x-amz-server-side-encryption-aws-kms-key-id": "k"}, ("InvalidArgument", 400)),
    (WHOLE, ("NotImplemented", 501)),
    (without(ALGORITHM), ("InvalidArgument", 400)),
    (without(CUSTOMER), ("InvalidArgument", 400)),
    (without(CUSTOMER_MD5), ("InvalidArgument", 400)),
    ({**WHOLE, CUSTOMER_MD5: b64(bytes(16))}, ("InvalidArgument", 400)),
    ({**WHOLE, CUSTOMER: b64(b"short")}, ("InvalidArgument", 400)),
    ({**WHOLE, ALGORITHM: "DES"}, ("InvalidEncryptionAlgorithmError", 400)),
])
def test_new_objects(s3, raw, bucket, headers, answer):
    assert raw.call("PUT", f"/{bucket}/k", headers=headers, body=b"x") == answer
    assert raw.call("POST", f"/{bucket}/k", "uploads", headers=headers) == answer
    assert keys_of(s3, bucket) == []


def test_a_key_opens_nothing_that_is_not_encrypted(s3, raw, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert raw.call("GET", f"/{bucket}/k", headers=WHOLE) == ("InvalidRequest", 400)
    assert raw.call("HEAD", f"/{bucket}/k", headers=WHOLE).status == 400
    source = {"x-amz-copy-source": f"/{bucket}/k"}
    source |= {name.replace("x-amz-", "x-amz-copy-source-", 1): value for name, value in WHOLE.items()}
    assert raw.call("PUT", f"/{bucket}/copy", headers=source) == ("InvalidRequest", 400)


def test_configuration(s3, bucket):
    none = refused(s3.get_bucket_encryption, Bucket=bucket)
    assert none == ("ServerSideEncryptionConfigurationNotFoundError", 404)

    def put(algorithm, rules=1):
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}
        configuration = {"Rules": [rule] * rules}
        return refused(
            s3.put_bucket_encryption, Bucket=bucket, ServerSideEncryptionConfiguration=configuration)

    assert put("AES256") == ("NotImplemented", 501)
    assert put("aws:kms") == ("NotImplemented", 501)
    assert put("rot13") == ("MalformedXML", 400)
    assert put("AES256", rules=0) == ("MalformedXML", 400)
    assert s3.delete_bucket_encryption(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
