"""Trees as archives: https://specs.ipfs.tech/ipips/ipip-0288/"""

import io
import tarfile
import urllib.parse

import pytest

from test_cars import car_of, pb, raw

DIRECTORY = "ą/ę"
FILE = "file-źł.txt"


def archive(answer):
    assert answer.status == 200, answer.body
    return tarfile.open(fileobj=io.BytesIO(answer.body))


def stored(node, tmp_path, *parts):
    """Blocks as they are, the first one's CID in text; made public."""
    file = tmp_path / "made.car"
    file.write_bytes(car_of(parts[0][0], *parts))
    return node.json("ipfs", "import", "--partial", file, f"public/made-{tmp_path.name}")["roots"][0]


@pytest.mark.parametrize("how", ["query", "accept"])
def test_a_directory_is_whole(node, how):
    cid = node.roots["dir_listing"][0]
    path = f"/ipfs/{cid}"
    answer = node.get(f"{path}?format=tar") if how == "query" else node.get(path, accept="application/x-tar")
    assert answer.headers["content-type"] == "application/x-tar"
    assert answer.headers["etag"] == f'W/"{cid}.x-tar"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "public, max-age=29030400, immutable"
    assert f'attachment; filename="{cid}.tar"' in answer.headers["content-disposition"]
    assert answer.headers["x-ipfs-path"] == path and answer.headers["x-ipfs-roots"] == cid
    assert answer.headers.get("content-location") == (None if how == "query" else f"{path}?format=tar")
    tar = archive(answer)
    names = tar.getnames()
    assert names[0] == cid and all(name == cid or name.startswith(f"{cid}/") for name in names)
    assert f"{cid}/{DIRECTORY}/{FILE}" in names and f"{cid}/api/file.txt" in names
    assert tar.extractfile(f"{cid}/{DIRECTORY}/{FILE}").read() == b"I am a txt file on path with utf8\n"
    assert all(member.isfile() or member.isdir() for member in tar)
    assert node.get(f"{path}?format=tar").body == answer.body


def test_a_part_is_named_by_its_last_segment(node):
    path = f"/ipfs/{node.roots['dir_listing'][0]}/{urllib.parse.quote(DIRECTORY)}"
    assert archive(node.get(f"{path}?format=tar")).getnames() == ["ę", f"ę/{FILE}"]
    one = archive(node.get(f"{path}/{urllib.parse.quote(FILE)}?format=tar"))
    assert one.getnames() == [FILE] and one.extractfile(FILE).read().startswith(b"I am a txt file")


def test_shards_files_of_many_blocks_and_links(node):
    for name in ["single-layer-hamt-with-multi-block-files", "dir-with-files", "symlink"]:
        cid = node.roots[name][0]
        tar = archive(node.get(f"/ipfs/{cid}?format=tar"))
        for member in tar.getmembers()[:200]:
            path = urllib.parse.quote(member.name.removeprefix(cid))
            if member.isfile():
                assert tar.extractfile(member).read() == node.get(f"/ipfs/{cid}{path}").body
            elif member.issym():
                assert member.linkname.encode() == node.get(f"/ipfs/{cid}{path}").body
        assert len(tar.getmembers()) > 2
    assert len(archive(node.get(f"/ipfs/{node.roots['single-layer-hamt-with-multi-block-files'][0]}?format=tar")).getmembers()) == 1001


def test_head_and_revalidation(node):
    cid = node.roots["dir_listing"][0]
    head = node.get(f"/ipfs/{cid}?format=tar", method="HEAD")
    assert (head.status, head.body) == (200, b"") and head.headers["content-type"] == "application/x-tar"
    again = node.get(f"/ipfs/{cid}?format=tar", if_none_match=f'W/"{cid}.x-tar"')
    assert (again.status, again.body) == (304, b"")
    assert node.get(f"/ipfs/{cid}/absent?format=tar").status == 404


def test_what_is_no_tree_of_files_is_refused(node):
    assert node.get(f"/ipfs/{node.roots['plain-json'][0]}?format=tar").status == 400
    assert node.get(f"/ipfs/{node.roots['dag-cbor-traversal'][0]}?format=tar").status == 400


def test_names_that_look_relative_but_stay_inside(node):
    cid = node.roots["inside-root"][0]
    tar = archive(node.get(f"/ipfs/{cid}?format=tar"))
    assert tar.extractfile(f"{cid}/foobar/file").read() == b"Hello, world!\n"
    assert not any(".." in name for name in tar.getnames())


def test_names_that_lead_outside_are_refused(node):
    answer = node.get(f"/ipfs/{node.roots['outside-root'][0]}?format=tar")
    assert answer.status == 400 and b"leads out of the archive" in answer.body


def test_names_made_to_do_harm(node, tmp_path):
    child = raw(b"harm")
    link = pb(data=b"\x08\x04\x12\x04/etc")
    for links in [
        [(b"..", child[0])],
        [(b".", child[0])],
        [(b"", child[0])],
        [(b"a/../../x", child[0])],
        [(b"a\0b", child[0])],
        [(b"l", link[0]), (b"l/passwd", child[0])],
        [(b"l", link[0]), (b"x/../l/y", child[0])],
        [(b"l", link[0]), (b"l", child[0])],
    ]:
        cid = stored(node, tmp_path, pb(*links), child, link)
        assert node.until(f"/ipfs/{cid}?format=raw").status == 200
        assert node.get(f"/ipfs/{cid}?format=tar").status == 400, links
    cid = stored(node, tmp_path, pb((b"/etc/passwd", child[0])), child)
    assert node.until(f"/ipfs/{cid}?format=raw").status == 200
    assert archive(node.get(f"/ipfs/{cid}?format=tar")).getnames() == [cid, f"{cid}/etc/passwd"]


def test_long_names_are_whole(node, tmp_path):
    child = raw(b"long")
    name = "ü" * 120
    cid = stored(node, tmp_path, pb((name.encode(), child[0])), child)
    assert node.until(f"/ipfs/{cid}?format=raw").status == 200
    tar = archive(node.get(f"/ipfs/{cid}?format=tar"))
    assert tar.extractfile(f"{cid}/{name}").read() == b"long"


def test_depth_is_bounded(node, tmp_path):
    chain = [raw(b"the end")]
    for _ in range(9_000):
        chain.append(pb((b"d", chain[-1][0])))
    cid = stored(node, tmp_path, chain[-1], *chain)
    assert node.until(f"/ipfs/{cid}?format=raw").status == 200
    with pytest.raises(Exception, match="IncompleteRead"):
        node.get(f"/ipfs/{cid}?format=tar")


