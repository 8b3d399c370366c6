"""The OpenAPI document, errors, pages."""

import re

from openapi_spec_validator import validate
from conftest import pages, put


def test_the_document_is_valid_and_the_router_has_every_operation(nobody, local):
    document = nobody.get("/api/v1/openapi.json")
    validate(document)
    sample = {"bucket": "no-such-bucket", "key": "k", "upload": "0" * 32, "number": "1", "position": "1"}
    sample |= {"access_key": "SDNOBODY", "code": "STEAD-0001", "node": "nobody", "name": "no-lock", "guide": "outage", "revision": "1"}
    methods = {"get", "put", "post", "delete", "patch"}
    for path, item in document["paths"].items():
        url = re.sub(r"\{(\w+)\}", lambda found: sample[found[1]], path)
        for method in methods:
            # What takes long or never ends is only asked for in a way that is refused.
            api = nobody if method in item else local
            status = api(method.upper(), url).status
            if method in item:
                assert status not in (404, 405) or "explain" in path, (method, path, status)
            else:
                assert status == 405, (method, path, status)
    local.refused("GET", "/api/v1/unheard-of", 404)


def test_errors_are_problem_documents_whose_page_is_there(local, nobody):
    problem = local.refused("GET", "/api/v1/objects/no-such-bucket", 404)
    page = nobody.get(problem["type"])
    assert page["code"] == problem["code"] and page["meaning"]
    local.refused("GET", "/api/v1/explain/STEAD-9999", 404)
    local.refused("POST", "/api/v1/copy", 400, ["not", "an", "object"])
    local.refused("GET", "/api/v1/log?cursor=%25", 400)


def test_pages_follow_on_each_other(local, versioned):
    names = [f"k/{n:03}" for n in range(25)]
    for name in names:
        put(local, versioned, name, b"1")
    put(local, versioned, "k/003", b"2")
    listed = pages(local, f"/api/v1/objects/{versioned}", limit=7)
    assert [item["key"] for item in listed] == names
    versions = pages(local, f"/api/v1/objects/{versioned}", limit=4, versions="true")
    assert len(versions) == 26 and sum(item["latest"] for item in versions) == 25
    folded = local.get(f"/api/v1/objects/{versioned}", delimiter="/")
    assert folded["prefixes"] == ["k/"] and not folded["items"]
    assert len(pages(local, f"/api/v1/history/{versioned}/k/003", limit=1)) == 2
    assert len(pages(local, "/api/v1/log", limit=10, stream=f"bucket/{versioned}", kind="object.*")) == 26
    assert versioned in [item["name"] for item in pages(local, "/api/v1/buckets", limit=1)]
    assert pages(local, "/api/v1/keys", limit=1)
