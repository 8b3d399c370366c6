"""CAR files that are cut off, lie, or are too much."""

import hashlib

import pytest

from conftest import FIXTURES, blocks, cid_length, varint

CAR = (FIXTURES / "dir-with-files.car").read_bytes()


def number(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def refused(node, tmp_path, data, code):
    file = tmp_path / "bad.car"
    file.write_bytes(data)
    assert code in node.run("ipfs", "import", file, "private/bad", ok=False)
    assert node.json("ls", "private/bad")["objects"] == []


@pytest.mark.parametrize("end", [0, 1, 10, 60, len(CAR) // 2, len(CAR) - 1])
def test_cut_off(node, tmp_path, end):
    refused(node, tmp_path, CAR[:end], "STEAD-030")


def test_a_block_that_does_not_match(node, tmp_path):
    refused(node, tmp_path, CAR[:-1] + bytes([CAR[-1] ^ 1]), "STEAD-0304")


def test_roots_that_are_not_there(node, tmp_path):
    length, at = varint(CAR, 0)
    header = bytearray(CAR[: at + length])
    header[header.index(b"\xd8\x2a") + 20] ^= 1
    refused(node, tmp_path, bytes(header) + CAR[at + length :], "STEAD-0305")


def section(cid, block):
    return number(len(cid) + len(block)) + cid + block


def car_of(root, *parts):
    """A CAR of (CID, block) pairs."""
    size = len(root) + 1
    head = bytes([0x40 + size]) if size < 24 else b"\x58" + bytes([size])
    header = b"\xa2eroots\x81\xd8\x2a" + head + b"\0" + root + b"gversion\x01"
    return number(len(header)) + header + b"".join(section(*part) for part in parts)


def pb(*links, data=b"\x08\x01"):
    """A dag-pb node of (name, CID) links, and its CID."""
    out = b""
    for name, cid in links:
        link = b"\x0a" + number(len(cid)) + cid + b"\x12" + number(len(name)) + name + b"\x18\x01"
        out += b"\x12" + number(len(link)) + link
    out += b"\x0a" + number(len(data)) + data
    return b"\x01\x70\x12\x20" + hashlib.sha256(out).digest(), out


def raw(block):
    return b"\x01\x55\x12\x20" + hashlib.sha256(block).digest(), block


def test_a_dag_that_is_not_whole(node, tmp_path):
    child, _ = raw(b"never stored")
    top = pb((b"a", child))
    refused(node, tmp_path, car_of(top[0], top), "STEAD-0305")


def test_names_that_lead_elsewhere(node, tmp_path):
    child = raw(b"some bytes of a file")
    for name in [b"..", b".", b"", b"a/../../b", b"/etc"]:
        top = pb((name, child[0]))
        refused(node, tmp_path, car_of(top[0], top, child), "STEAD-0302")


def test_depth_and_repetition_are_bounded(node, tmp_path):
    chain = [raw(b"the end")]
    for _ in range(10_000):
        chain.append(pb((b"d", chain[-1][0])))
    refused(node, tmp_path, car_of(chain[-1][0], *chain), "STEAD-0306")
    wide = [raw(b"the leaf")]
    for _ in range(40):
        wide.append(pb(*[(b"%d" % n, wide[-1][0]) for n in range(4)]))
    refused(node, tmp_path, car_of(wide[-1][0], *wide), "STEAD-0306")
    many = pb(*[(b"%06d" % n, wide[0][0]) for n in range(30_000)])
    file = tmp_path / "many.car"
    file.write_bytes(car_of(many[0], many, wide[0]))
    assert node.json("ipfs", "import", "--partial", file, "private/many")["blocks"] == 2


def test_other_hashes_and_codecs_are_refused(node, tmp_path):
    block = b"x"
    sha1 = b"\x01\x55\x11\x14" + hashlib.sha1(block).digest()
    refused(node, tmp_path, car_of(sha1, (sha1, block)), "STEAD-0302")
    git = b"\x01\x78\x12\x20" + hashlib.sha256(block).digest()
    refused(node, tmp_path, car_of(git, (git, block)), "STEAD-0302")
    identity = b"\x01\x55\x00\x01x"
    file = tmp_path / "identity.car"
    file.write_bytes(car_of(identity))
    assert node.json("ipfs", "import", file, "private/identity")["objects"] == 1


def test_zeros_and_lengths_that_lie(node, tmp_path):
    refused(node, tmp_path, bytes(1 << 20), "STEAD-0303")
    length, at = varint(CAR, 0)
    refused(node, tmp_path, CAR[: at + length] + bytes(4096), "STEAD-0303")
    refused(node, tmp_path, CAR[: at + length] + b"\xff\xff\xff\xff\x7f", "STEAD-0303")
    refused(node, tmp_path, b"\xff\xff\xff\xff\x7f", "STEAD-0303")


def test_version_2_in_and_version_1_out(node, tmp_path):
    pragma = bytes.fromhex("0aa16776657273696f6e02")
    le = lambda value: value.to_bytes(8, "little")
    version2 = pragma + bytes(16) + le(51) + le(len(CAR)) + le(51 + len(CAR)) + CAR + b"index"
    file, out = tmp_path / "two.car", tmp_path / "one.car"
    file.write_bytes(version2)
    done = node.json("ipfs", "import", file, "private/two")
    assert done["roots"] == node.roots["dir-with-files"]
    node.run("ipfs", "export", done["roots"][0], out)
    assert {cid for cid, _ in blocks(out.read_bytes())} == {cid for cid, _ in blocks(CAR)}
    file.write_bytes(version2[: -len(CAR) // 2])
    assert "STEAD-0303" in node.run("ipfs", "import", file, "private/cut", ok=False)


def test_a_dag_is_fetched_from_a_gateway_and_verified(node):
    root = node.roots["dir-with-files"][0]
    source = node.ready["endpoints"]["ipfs"]
    done = node.json("ipfs", "pin", root, "private/fetched", "--from", source)
    assert done["objects"] >= 3
    keys = [item["key"] for item in node.json("ls", "private/fetched/")["objects"]]
    assert "private/fetched/ascii.txt".split("/", 1)[1] in keys
    node.run("ipfs", "unpin", root, "private/fetched")
    assert cid_length(b"\x12") == 34
