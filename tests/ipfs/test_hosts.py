"""Hosts, addresses, caches and forms: https://specs.ipfs.tech/http-gateways/subdomain-gateway/ and .../path-gateway/"""

import json

import pytest

ABSENT = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"


@pytest.mark.parametrize("name", ["hello-CIDv0", "hello-CIDv0to1", "hello-CIDv1"])
def test_files_of_either_version(node, name):
    root = node.roots["subdomain"][0]
    answer = node.get(f"/ipfs/{root}/{name}")
    assert answer.status == 200 and answer.body.startswith(b"hello")


def test_paths_that_look_like_the_gateway_itself(node):
    root = "bafybeiht6dtwk3les7vqm6ibpvz6qpohidvlshsfyr7l5mpysdw2vmbbhe"
    host = f"{root}.ipfs.localhost"
    assert node.get("/ipfs/file.txt", host=host).body == b"I am a txt file\n"
    assert node.get("/ipfs/ipns/bar", host=host).body == b"text-file-content\n"
    assert node.get("/api/file.txt", host=host).body == b"I am a txt file\n"
    assert node.get("/ipfs/", host=host).status == 200


def test_old_cids_get_a_host_that_can_be_one(node):
    old = node.roots["redirects"][0]
    assert old.startswith("Qm")
    answer = node.get(f"/ipfs/{old}/examples/?a=b", host="localhost")
    assert answer.status == 301
    label = answer.headers["location"].removeprefix("http://").split(".")[0]
    assert label.startswith("bafy") and answer.headers["location"].endswith(".ipfs.localhost/examples/?a=b")
    https = node.get(f"/ipfs/{old}/", host="localhost", x_forwarded_proto="https")
    assert https.headers["location"].startswith("https://")


def test_a_cid_too_long_for_a_label(node):
    long = "bafkrgqhhyivzstcz3hhswshfjgy6ertgmnqeleynhwt4dlfsthi4hn7zgh4uvlsb5xncykzapi3ocd4lzogukir6ksdy6wzrnz6ohnv4aglcs"
    assert node.get(f"/ipfs/{long}", host="localhost").status == 400


def test_addresses_of_the_schemes(node):
    cid = node.roots["dir-with-files"][0]
    answer = node.get(f"/ipfs/?uri=ipfs%3A%2F%2F{cid}%2Fascii.txt%3Fx%3D1")
    assert (answer.status, answer.headers["location"]) == (301, f"/ipfs/{cid}/ascii.txt?x=1")
    answer = node.get("/ipns/?uri=ipns://k51/a")
    assert (answer.status, answer.headers["location"]) == (301, "/ipns/k51/a")
    assert node.get("/ipfs/?uri=https://evil.example").status == 400


@pytest.mark.parametrize(
    "path, host",
    [
        ("/ipns/en.wikipedia-on-ipfs.example.org/wiki/", "127.0.0.1"),
        ("/ipns/en.wikipedia-on-ipfs.example.org/wiki/", "localhost"),
        ("/wiki/", "en-wikipedia--on--ipfs-example-org.ipns.localhost"),
        ("/ipns/dnslink-test.example.org?format=raw", "127.0.0.1"),
    ],
)
def test_names_of_domains_are_said_not_to_be_resolved(node, path, host):
    answer = node.get(path, host=host)
    assert answer.status == 501 and b"DNSLink" in answer.body


def test_a_domain_of_ones_own_is_no_root(node):
    for host in ["dnslink-test.example.org", "en.wikipedia-on-ipfs.example.org"]:
        assert node.get("/", host=host).status == 404


def test_what_is_only_wanted_if_it_is_here(node):
    cid = node.roots["dir-with-files"][0]
    for method in ["GET", "HEAD"]:
        here = node.get(f"/ipfs/{cid}/ascii.txt", method=method, cache_control="only-if-cached")
        assert here.status == 200
        absent = node.get(f"/ipfs/{ABSENT}", method=method, cache_control="only-if-cached")
        assert (absent.status, absent.body) == (412, b"")


def test_service_workers_do_not_get_more_than_a_root(node):
    cid = node.roots["dir-with-files"][0]
    assert node.get(f"/ipfs/{cid}", service_worker="script").status == 400
    assert node.get(f"/ipns/{node.published['ipns']}", service_worker="script").status == 400
    assert node.get(f"/ipfs/{cid}/ascii.txt", service_worker="script").status == 200


def test_forms_by_a_header_have_addresses_of_their_own(node):
    cid = node.roots["dir-with-files"][0]
    path = f"/ipfs/{cid}/ascii.txt"
    for form, media in [("raw", "application/vnd.ipld.raw"), ("car", "application/vnd.ipld.car")]:
        answer = node.get(f"{path}?filename=x", accept=media)
        assert answer.headers["content-location"] == f"{path}?filename=x&format={form}"
        assert "content-location" not in node.get(f"{path}?format={form}", accept=media).headers
    assert "content-location" not in node.get(path).headers


def test_what_may_be_kept(node):
    root = node.roots["gateway-cache"][0]
    path = f"/ipfs/{root}/root2/root3/root4"
    listing = node.get(f"/ipfs/{root}/root2/root3/")
    assert listing.status == 200 and "immutable" not in listing.headers["cache-control"]
    assert listing.headers["etag"].startswith('"DirIndex-')
    page = node.get(f"{path}/")
    assert (page.status, page.body) == (200, b"hello\n")
    assert page.headers["cache-control"] == "public, max-age=29030400, immutable"
    assert page.headers["etag"] == '"bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"'
    assert page.headers["x-ipfs-path"] == f"{path}/"
    assert page.headers["x-ipfs-roots"] == ",".join(
        [
            root,
            "bafybeih2w7hjocxjg6g2ku25hvmd53zj7og4txpby3vsusfefw5rrg5sii",
            "bafybeiawdvhmjcz65x5egzx4iukxc72hg4woks6v6fvgyupiyt3oczk5ja",
            "bafybeifq2rzpqnqrsdupncmkmhs3ckxxjhuvdcbvydkgvch3ms24k5lo7q",
        ]
    )
    for tag in ['"bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"', '"x", W/"bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"', "*"]:
        assert node.get(f"{path}/index.html", if_none_match=tag).status == 304
    named = node.get(f"/ipns/{node.published['ipns']}/")
    assert "immutable" not in named.headers["cache-control"] and "max-age=" in named.headers["cache-control"]


def test_data_by_its_own_codec_and_by_others(node):
    root = node.roots["dag-json-traversal"][0]
    own = node.get(f"/ipfs/{root}?format=dag-json")
    assert own.status == 200 and own.headers["content-type"] == "application/vnd.ipld.dag-json"
    assert json.loads(own.body)
    assert node.get(f"/ipfs/{root}?format=dag-cbor").headers["content-type"] == "application/vnd.ipld.dag-cbor"
    tree = node.roots["dag-pb"][0]
    for form in ["dag-json", "dag-cbor"]:
        assert node.get(f"/ipfs/{tree}?format={form}").status == 406
        assert node.get(f"/ipfs/{tree}/foo.txt?format={form}").status == 406
    liked = node.get(f"/ipfs/{tree}/foo.txt", accept="application/json")
    assert (liked.status, liked.body) == (200, b"Hello, IPFS!\n")


@pytest.mark.parametrize("name, media", [("plain-cbor", "application/cbor"), ("plain-json", "application/json")])
def test_plain_data_as_it_is(node, name, media):
    answer = node.get(f"/ipfs/{node.roots[name][0]}")
    assert answer.status == 200 and answer.headers["content-type"] == media
    raw = node.get(f"/ipfs/{node.roots[name][0]}?format=raw")
    assert raw.body == answer.body


@pytest.mark.parametrize("form", ["json", "cbor"])
def test_plain_data_in_the_form_of_another(node, form):
    root = node.roots[f"plain-cbor-that-can-be-dag-{form}"][0]
    answer = node.get(f"/ipfs/{root}?format=dag-{form}")
    assert answer.status == 200 and answer.headers["content-type"] == f"application/vnd.ipld.dag-{form}"
