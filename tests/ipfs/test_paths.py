"""Files and directories: https://specs.ipfs.tech/http-gateways/path-gateway/ and .../subdomain-gateway/"""

import urllib.parse


def test_a_directory_is_redirected_to_its_slash_and_listed(node):
    cid = node.roots["dir-with-files"][0]
    answer = node.get(f"/ipfs/{cid}?filename=x")
    assert answer.status == 301 and answer.headers["location"] == f"/ipfs/{cid}/?filename=x"
    answer = node.get(f"/ipfs/{cid}/")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["etag"].startswith('"DirIndex-')
    assert "immutable" not in answer.headers["cache-control"]
    assert answer.headers["x-ipfs-path"] == f"/ipfs/{cid}/"
    again = node.get(f"/ipfs/{cid}/", if_none_match="W/" + answer.headers["etag"])
    assert again.status == 304


def test_files_ranges_and_etags(node):
    cid = node.roots["dir-with-files"][0]
    whole = node.get(f"/ipfs/{cid}/ascii.txt")
    assert whole.status == 200 and whole.headers["content-type"] == "text/plain; charset=utf-8"
    assert whole.headers["cache-control"] == "public, max-age=29030400, immutable"
    assert len(whole.headers["x-ipfs-roots"].split(",")) == 2
    part = node.get(f"/ipfs/{cid}/ascii.txt", range="bytes=3-7")
    assert (part.status, part.body) == (206, whole.body[3:8])
    assert part.headers["content-range"] == f"bytes 3-7/{len(whole.body)}"
    assert node.get(f"/ipfs/{cid}/ascii.txt", range="bytes=-4").body == whole.body[-4:]
    assert node.get(f"/ipfs/{cid}/ascii.txt", range="bytes=99999999-").status == 416
    assert node.get(f"/ipfs/{cid}/ascii.txt", if_none_match=whole.headers["etag"]).status == 304
    assert node.get(f"/ipfs/{cid}/absent.txt").status == 404
    head = node.get(f"/ipfs/{cid}/ascii.txt", method="HEAD")
    assert head.body == b"" and head.headers["content-length"] == str(len(whole.body))
    down = node.get(f"/ipfs/{cid}/ascii.txt?download=true&filename=t%C3%A9st.txt")
    assert down.headers["content-disposition"].startswith("attachment; filename=\"t_st.txt\"; filename*=UTF-8''t%C3%A9st")


def test_a_file_of_many_blocks_is_whole(node):
    cid = node.roots["dir-with-files"][0]
    answer = node.get(f"/ipfs/{cid}/multiblock.txt")
    assert answer.status == 200 and len(answer.body) == 1026
    for first, last in [(0, 0), (250, 260), (1000, 1025), (255, 1024)]:
        part = node.get(f"/ipfs/{cid}/multiblock.txt", range=f"bytes={first}-{last}")
        assert part.body == answer.body[first : last + 1]


def test_a_name_with_a_percent_sign_in_it(node):
    cid = node.roots["dir-with-percent-encoded-filename"][0]
    name = "Portugal%2C+España=Peninsula Ibérica.txt"
    answer = node.get(f"/ipfs/{cid}/{urllib.parse.quote(name)}")
    assert answer.status == 200, answer.body
    listing = node.get(f"/ipfs/{cid}/").body.decode()
    assert "./Portugal%252C+Espa%C3%B1a=Peninsula%20Ib%C3%A9rica.txt" in listing


def test_a_symbolic_link_is_its_target(node):
    cid = node.roots["symlink"][0]
    answer = node.get(f"/ipfs/{cid}/bar")
    assert (answer.status, answer.body) == (200, b"foo")


def test_a_large_directory_is_walked(node):
    cid = node.roots["single-layer-hamt-with-multi-block-files"][0]
    assert node.get(f"/ipfs/{cid}/685.txt").status == 200
    assert node.get(f"/ipfs/{cid}/absent").status == 404
    assert node.get(f"/ipfs/{cid}/").body.count(b"<tr>") == 1000


def test_paths_lead_nowhere_else(node):
    cid = node.roots["dir-with-files"][0]
    for path in ["/%2e%2e/", "/../../etc/passwd", "/%2e%2e%2f%2e%2e/x", "/ascii.txt/x", "//evil.example/"]:
        answer = node.get(f"/ipfs/{cid}{path}")
        assert answer.status in (400, 404), path
    assert node.get(f"/ipfs/{cid}/%00").status == 400
    assert node.get(f"/ipfs/{cid}/%ff").status == 400


def test_hosts_of_their_own(node):
    cid = node.roots["dir-with-files"][0]
    port = node.ipfs.port
    answer = node.get(f"/ipfs/{cid}/ascii.txt?x=1", host=f"localhost:{port}")
    assert answer.status == 301
    assert answer.headers["location"] == f"http://{cid}.ipfs.localhost:{port}/ascii.txt?x=1"
    direct = node.get(f"/ipfs/{cid}/ascii.txt")
    answer = node.get("/ascii.txt", host=f"{cid}.ipfs.localhost:{port}")
    assert (answer.status, answer.body) == (200, direct.body)
    name = node.published["ipns"]
    assert node.get("/", host=f"{name}.ipns.localhost:{port}").status == 200
    assert node.get("/ascii.txt", host="127.0.0.1", x_forwarded_host=f"{cid}.ipfs.localhost").status == 404


def test_data_is_answered_as_data(node):
    cid = node.roots["plain-json"][0]
    answer = node.get(f"/ipfs/{cid}")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
