"""Rules of a site for what it does not have: https://specs.ipfs.tech/http-gateways/web-redirects-file/"""

import pytest


def b32(node, cid, path=""):
    """The CID of a directory below a root, as a host has it."""
    location = node.get(f"/ipfs/{cid}/", host="localhost").headers["location"]
    return location.split("//")[1].split(".")[0]


@pytest.fixture(scope="module")
def site(node):
    """GETs a path of one of the fixture's sites on its own host."""
    root = node.roots["redirects"][0]

    def get(name, path, **headers):
        roots = node.get(f"/ipfs/{root}/{name}/").headers["x-ipfs-roots"]
        return node.get(path, host=f"{b32(node, roots.split(',')[-1])}.ipfs.localhost", **headers)

    return get


@pytest.mark.parametrize(
    "path, status, location",
    [
        ("/redirect-one", 301, "/one.html"),
        ("/301-redirect-one", 301, "/one.html"),
        ("/302-redirect-two", 302, "/two.html"),
        ("/posts/2022/06/15/hello-world", 301, "/articles/2022/06/15/hello-world"),
        ("/splat/one.html", 301, "/redirected-splat/one.html"),
        ("/splat/a/b/c", 301, "/redirected-splat/a/b/c"),
        ("/redirect-one?a=1&b=2", 301, "/one.html?a=1&b=2"),
    ],
)
def test_redirects(site, path, status, location):
    answer = site("examples", path)
    assert (answer.status, answer.headers["location"]) == (status, location)


@pytest.mark.parametrize(
    "path, status, body",
    [
        ("/200-index", 200, b"my index\n"),
        ("/has-no-page/of/any/kind", 200, b"my index\n"),
        ("/not-found/has-no-page", 404, b"my 404\n"),
        ("/gone/has-no-page", 410, b"my 410\n"),
        ("/unavail/has-no-page", 451, b"my 451\n"),
        ("/one.html", 200, b"my one\n"),
        ("/", 200, b"my index\n"),
    ],
)
def test_rewrites_and_what_is_there(site, path, status, body):
    answer = site("examples", path)
    assert (answer.status, answer.body) == (status, body)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-ipfs-path"].endswith(path)
    assert "sandbox" not in answer.headers.get("content-security-policy", "")


def test_a_page_for_errors_is_answered_whole(site):
    answer = site("examples", "/not-found/x", range="bytes=0-1", if_none_match="*")
    assert (answer.status, answer.body) == (404, b"my 404\n")
    head = site("examples", "/not-found/x", method="HEAD")
    assert (head.status, head.body) == (404, b"")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_redirect_there_is(site, status):
    answer = site("good-codes", f"/a{status}")
    assert (answer.status, answer.headers["location"]) == (status, f"/b{status}")


@pytest.mark.parametrize("status", [404, 410, 451])
def test_a_status_without_a_page_is_still_that_status(site, status):
    assert site("good-codes", f"/a{status}").status == status


def test_a_rewrite_to_nothing_is_not_found(site):
    assert site("good-codes", "/a200").status == 404


@pytest.mark.parametrize("name", ["bad-codes", "forced", "invalid", "too-large"])
def test_files_that_cannot_be_used(site, name):
    answer = site(name, "/not-there")
    assert answer.status == 500 and b"_redirects" in answer.body


def test_a_bad_file_harms_nothing_that_is_there(site):
    answer = site("bad-codes", "/found.html")
    assert (answer.status, answer.body) == (200, b"my found\n")


def test_lines_that_end_as_on_windows(site):
    assert site("newlines", "/redirect-one").headers["location"] == "/one.html"
    assert site("newlines", "/200-index").body == b"my index\n"


def test_an_application_of_one_page(node):
    host = f"{node.roots['redirects-spa'][0]}.ipfs.localhost"
    for path in ["/any/where", "/deep/down/%2e%2e/x"]:
        answer = node.get(path, host=host)
        assert (answer.status, answer.body) == (200, b"hello world\n")


def test_only_where_a_root_has_its_host(node):
    root = node.roots["redirects"][0]
    assert node.get(f"/ipfs/{root}/examples/redirect-one").status == 404
    assert node.get(f"/ipfs/{node.roots['redirects-spa'][0]}/any/where").status == 404


def test_only_for_pages(node):
    host = f"{node.roots['redirects-spa'][0]}.ipfs.localhost"
    for form in ["raw", "car", "tar"]:
        assert node.get(f"/any/where?format={form}", host=host).status == 404


def test_nothing_of_a_path_becomes_another_host(site):
    answer = site("examples", "/splat/%2Fevil.example/%0D%0Aset-cookie:x")
    assert answer.status == 301 and "set-cookie" not in answer.headers
    assert answer.headers["location"] == "/redirected-splat/%2Fevil.example/%0D%0Aset-cookie%3Ax"
