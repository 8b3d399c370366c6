"""Blocks and CARs: https://specs.ipfs.tech/http-gateways/trustless-gateway/"""

import pytest

from conftest import FIXTURES, blocks


def root(node, name):
    return node.roots[name][0]


@pytest.mark.parametrize("how", ["query", "accept"])
def test_a_raw_block(node, how):
    cid = root(node, "gateway-raw-block")
    wanted = blocks((FIXTURES / "gateway-raw-block.car").read_bytes())
    if how == "query":
        answer = node.get(f"/ipfs/{cid}?format=raw")
    else:
        answer = node.get(f"/ipfs/{cid}", accept="application/vnd.ipld.raw")
    assert answer.status == 200
    assert answer.body in [block for _, block in wanted]
    assert answer.headers["content-type"] == "application/vnd.ipld.raw"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["etag"] == f'"{cid}.raw"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "public, max-age=29030400, immutable"
    assert f'attachment; filename="{cid}.bin"' in answer.headers["content-disposition"]
    assert answer.headers["x-ipfs-path"] == f"/ipfs/{cid}" and answer.headers["x-ipfs-roots"] == cid
    assert answer.headers["access-control-allow-origin"] == "*"
    head = node.get(f"/ipfs/{cid}?format=raw", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == answer.headers["content-length"]
    again = node.get(f"/ipfs/{cid}?format=raw", if_none_match=f'"{cid}.raw"')
    assert (again.status, again.body) == (304, b"")


def test_what_is_not_public_is_as_absent(node):
    node.run("cp", FIXTURES / "LICENSE-MIT", "private/licence")
    cid = node.json("ls", "private/")["objects"][0]["cid"]
    absent = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
    for form in ["", "?format=raw", "?format=car"]:
        answers = [node.get(f"/ipfs/{each}{form}") for each in (cid, absent)]
        assert [answer.status for answer in answers] == [404, 404]
        assert answers[0].body == answers[1].body
        assert answers[0].headers.keys() == answers[1].headers.keys()


def test_identity_is_always_there(node):
    for form, kind in [("?format=raw", "application/vnd.ipld.raw"), ("?format=car", "application/vnd.ipld.car")]:
        answer = node.get(f"/ipfs/bafkqaaa{form}")
        assert answer.status == 200 and answer.headers["content-type"].startswith(kind)
    assert node.get("/ipfs/bafkqaaa?format=raw").body == b""


@pytest.mark.parametrize(
    "path, status",
    [
        ("/ipfs/not-a-cid", 400),
        ("/ipfs/bafkqaaa?format=zip", 400),
        ("/ipfs/bafkqaaa?format=car&car-version=2", 400),
        ("/ipfs/bafkqaaa?format=car&dag-scope=some", 400),
        ("/ipfs/bafkqaaa?format=car&entity-bytes=x", 400),
        ("/ipfs/bafkqaaa?format=car&car-dups=maybe", 400),
        ("/ipfs/bafkqaaa?format=ipns-record", 400),
        ("/ipns/k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8", 404),
        ("/other", 404),
    ],
)
def test_refusals(node, path, status):
    assert node.get(path).status == status


def test_other_methods_and_forms_are_refused(node):
    assert node.get("/ipfs/bafkqaaa", method="POST").status == 405
    assert node.get("/ipfs/bafkqaaa", accept="application/vnd.ipld.unheard-of").status == 406
    assert node.get("/ipfs/bafkqaaa", method="OPTIONS").status == 204


def test_a_car_of_everything_has_every_block_once(node):
    name = "single-layer-hamt-with-multi-block-files"
    answer = node.get(f"/ipfs/{root(node, name)}?format=car")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/vnd.ipld.car; version=1; order=dfs; dups=n"
    assert answer.headers["etag"].startswith('W/"')
    got = [cid for cid, _ in blocks(answer.body)]
    wanted = {cid for cid, _ in blocks((FIXTURES / f"{name}.car").read_bytes())}
    assert set(got) == wanted and len(got) == len(wanted)


def test_scopes(node):
    cid = root(node, "subdir-with-two-single-block-files")
    of = lambda scope, path="": blocks(node.get(f"/ipfs/{cid}{path}?format=car&dag-scope={scope}").body)
    assert len(of("block")) == 1
    assert len(of("entity")) == 1
    everything = of("all")
    assert len(everything) == len(blocks((FIXTURES / "subdir-with-two-single-block-files.car").read_bytes()))
    assert of("block", "/subdir")[0] == everything[0], "the blocks on the way come first"
    assert len(of("block", "/subdir")) == 2
    assert len(of("block", "/subdir/ascii.txt")) == 3


def test_dups(node):
    cid = root(node, "dir-with-duplicate-files")
    once = blocks(node.get(f"/ipfs/{cid}?format=car&car-dups=n").body)
    twice = blocks(node.get(f"/ipfs/{cid}", accept="application/vnd.ipld.car; dups=y").body)
    assert len({cid for cid, _ in once}) == len(once) < len(twice)
    assert {cid for cid, _ in once} == {cid for cid, _ in twice}


def test_bytes_of_an_entity_need_only_their_blocks(node):
    cid = root(node, "file-3k-and-3-blocks-missing-block")
    answer = node.get(f"/ipfs/{cid}?format=car&dag-scope=entity&entity-bytes=0:1000")
    first = blocks(answer.body)
    assert len(first) == 2
    last = blocks(node.get(f"/ipfs/{cid}?format=car&dag-scope=entity&entity-bytes=2048:*").body)
    assert len(last) == 2 and first[0] == last[0] and first[1] != last[1]
    from_end = blocks(node.get(f"/ipfs/{cid}?format=car&dag-scope=entity&entity-bytes=-1024:*").body)
    assert from_end == last


def test_a_name_has_a_signed_record(node):
    name, cid = node.published["ipns"], node.published["cid"]
    answer = node.get(f"/ipns/{name}?format=ipns-record")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/vnd.ipfs.ipns-record"
    assert f"/ipfs/{cid}".encode() in answer.body
    assert len(answer.body) < 10 * 1024
    routed = node.get(f"/routing/v1/ipns/{name}")
    assert routed.status == 200 and f"/ipfs/{cid}".encode() in routed.body
    assert node.get(f"/routing/v1/providers/{cid}").status == 200
    absent = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
    assert node.get(f"/routing/v1/providers/{absent}").status == 404
