"""Addresses that would make the backend read what only its machine reaches."""

from __future__ import annotations

import pytest

from edgeflow.label_studio.api.credentials import Credentials
from edgeflow_backend.errors import FetchError
from edgeflow_backend.images.download import MAX_REDIRECTS, Downloader, Limits
from edgeflow_backend.label_studio.transport import GuardedTransport
from edgeflow_backend.net.allow_list import AllowList
from edgeflow_backend.net.guard import Guard
from tests.unit.edgeflow_backend.internet import Internet
from tests.unit.edgeflow_backend.loopback import Host, Reply, redirect

TOKEN = "0123456789abcdef0123456789abcdef01234567"
IMAGE = bytes(range(256))
LIMITS = Limits(connect_s=1.0, read_s=1.0, total_s=5.0, max_bytes=100_000)
ADDRESS = "93.184.216.34"
PUBLIC = "http://images.example"


def downloader(home: str = "", allowed: str = "") -> Downloader:
    credentials = Credentials(GuardedTransport(home, timeout=(1.0, 1.0)), TOKEN)
    return Downloader(home, credentials, LIMITS, Guard([home], AllowList.parse(allowed)))


def refusal(url: str, subject: Downloader | None = None) -> FetchError:
    with pytest.raises(FetchError) as caught:
        (subject or downloader()).fetch(url)
    assert caught.value.hint
    assert TOKEN not in caught.value.message + caught.value.hint
    return caught.value


@pytest.fixture
def public(host: Host, internet: Internet) -> Host:
    """A host of the public internet that has an image under any path."""
    internet.answers["images.example"] = [[ADDRESS]]
    internet.servers[ADDRESS] = host.port
    host.routes["*"] = Reply(body=IMAGE)
    return host


@pytest.fixture
def inside(other_host: Host) -> Host:
    """What only the backend's machine reaches."""
    other_host.routes["*"] = Reply(body=b"secret")
    return other_host


LITERALS = [
    # loopback, in every way that the system's resolver reads IPv4
    "127.0.0.1",
    "127.0.0.1.",
    "127.0.0.2",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0177.1",
    "0x7f000001",
    "0x7F.0x0.0x0.0x1",
    "0x7f.1",
    "127.0.0.1%2e",
    "127%2E0%2E0%2E1",
    "%31%32%37.0.0.1",
    # unspecified
    "0",
    "0.0.0.0",
    "0x0",
    # private
    "10.0.0.1",
    "167772161",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "3232235777",
    "0300.0250.1.1",
    # metadata of clouds
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    # nobody's
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    # IPv6
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::1%25lo]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fe80::1%25251]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    # IPv4 inside IPv6
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:a9fe:a9fe]",
    "[::ffff:10.0.0.1]",
    "[::127.0.0.1]",
    "[::a9fe:a9fe]",
    "[::ffff:0:127.0.0.1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::a00:1]",
]


@pytest.mark.parametrize("literal", LITERALS)
def test_an_ip_that_is_not_public_is_never_connected_to(
    literal: str, internet: Internet, inside: Host
) -> None:
    refusal(f"http://{literal}:{inside.port}/a.png")
    refusal(f"https://{literal}:{inside.port}/a.png")
    assert internet.reached == []
    assert inside.received == []


@pytest.mark.parametrize(
    "literal", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[fe80::1]"]
)
def test_a_refused_literal_is_named_with_the_way_out(literal: str, inside: Host) -> None:
    error = refusal(f"http://{literal}:{inside.port}/a.png")
    name = literal.strip("[]")
    assert name in error.message
    assert f"add {name} to EDGEFLOW_ALLOWED_HOSTS" in error.hint


DISGUISES = [
    # users and passwords
    "http://images.example@127.0.0.1:{port}/a.png",
    "http://images.example:80@127.0.0.1:{port}/a.png",
    "http://images.example%2f@127.0.0.1:{port}/a.png",
    "http://images.example%23@127.0.0.1:{port}/a.png",
    "http://a@b@127.0.0.1:{port}/a.png",
    "http://{home}@127.0.0.1:{port}/a.png",
    # ends of the host that programs see in different places
    "http://127.0.0.1:{port}\\@images.example/a.png",
    "http://127.0.0.1:{port}#@images.example/a.png",
    "http://127.0.0.1:{port}?@images.example/a.png",
    "http://127.0.0.1:{port}/@images.example/a.png",
    "http:\\\\127.0.0.1:{port}\\a.png",
    "http:/127.0.0.1:{port}/a.png",
    "http:///127.0.0.1:{port}/a.png",
    "http://127.0.0.1:{port} images.example/a.png",
    "http://127.0.0.1\t:{port}/a.png",
    "http://127.0.0.1\n:{port}/a.png",
    "http://127.0.0.1%00.images.example:{port}/a.png",
    "http://127.0.0.1%0a:{port}/a.png",
    "\x00http://127.0.0.1:{port}/a.png",
    # digits and dots of other scripts
    "http://①②⑦.⓪.⓪.①:{port}/a.png",
    "http://１２７.０.０.１:{port}/a.png",
    "http://127。0。0。1:{port}/a.png",
    "http://127.0.0.1:{port}/a.png",
    "http://１６９｡２５４｡１６９｡２５４:{port}/a.png",
    "http://[::①]:{port}/a.png",
    "http://٢١٣٠٧٠٦٤٣٣:{port}/a.png",
    # names
    "http://localhost:{port}/a.png",
    "http://LOCALHOST:{port}/a.png",
    "http://localhost.:{port}/a.png",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/a.png",
    "http://a.localhost:{port}/a.png",
    "http://inside.example:{port}/a.png",
    "http://inside.example.:{port}/a.png",
    "http://INSIDE.example:{port}/a.png",
    # other schemes
    "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/a.png",
    "gopher://127.0.0.1:{port}/_GET",
    "dict://127.0.0.1:{port}/info",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
    "httpx://127.0.0.1:{port}/",
]


@pytest.fixture
def names(internet: Internet) -> Internet:
    """An internet with names that lead inside."""
    internet.answers |= {
        "localhost": [["::1", "127.0.0.1"]],
        "a.localhost": [["127.0.0.1"]],
        "inside.example": [["10.0.0.5", "127.0.0.1", "::ffff:127.0.0.1"]],
        "images.example": [[ADDRESS]],
    }
    return internet


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_disguise_leads_nowhere(disguise: str, names: Internet, inside: Host) -> None:
    home = "studio.example:8080"
    refusal(disguise.format(port=inside.port, home=home), downloader(f"http://{home}"))
    assert set(names.reached) <= {ADDRESS}
    assert inside.received == []


@pytest.mark.parametrize("disguise", [each for each in DISGUISES if "\n" not in each])
def test_a_redirect_to_a_disguise_leads_nowhere(
    disguise: str, names: Internet, public: Host, inside: Host
) -> None:
    location = disguise.format(port=inside.port, home="studio.example:8080")
    location = location.encode().decode("latin-1")  # as it comes over the wire
    public.routes["/a.png"] = redirect(location)
    try:
        data = downloader().fetch(f"{PUBLIC}/a.png")
    except FetchError:
        data = IMAGE
    assert data == IMAGE, "at most a path of the public host itself"
    assert set(names.reached) <= {ADDRESS}
    assert inside.received == []


# Redirects


@pytest.mark.parametrize("literal", ["127.0.0.1", "2130706433", "[::1]", "[::ffff:7f00:1]", "0"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_inside_is_refused(
    literal: str, status: int, internet: Internet, public: Host, inside: Host
) -> None:
    public.routes["/a.png"] = redirect(f"http://{literal}:{inside.port}/a.png", status)
    error = refusal(f"{PUBLIC}/a.png")
    assert literal.strip("[]") in error.message
    assert "EDGEFLOW_ALLOWED_HOSTS" in error.hint
    assert internet.reached == [ADDRESS]
    assert inside.received == []


@pytest.mark.parametrize("hops", range(1, MAX_REDIRECTS + 1))
def test_a_chain_of_redirects_is_checked_at_every_hop(
    hops: int, internet: Internet, public: Host, inside: Host
) -> None:
    for hop in range(hops - 1):
        public.routes[f"/{hop}"] = redirect(f"{PUBLIC}/{hop + 1}")
    public.routes[f"/{hops - 1}"] = redirect(f"http://127.0.0.1:{inside.port}/a.png")
    refusal(f"{PUBLIC}/0")
    assert internet.reached == [ADDRESS] * hops
    assert inside.received == []


def test_a_name_that_turns_private_between_two_hops_is_refused(
    internet: Internet, public: Host
) -> None:
    internet.answers["flip.example"] = [[ADDRESS], ["127.0.0.1"]]
    public.routes["/a.png"] = redirect(f"http://flip.example:{public.port}/b.png")
    error = refusal(f"http://flip.example:{public.port}/a.png")
    assert "flip.example" in error.message
    assert internet.reached == [ADDRESS]
    assert [request.path for request in public.received] == ["/a.png"]


def test_a_redirect_of_label_studio_inside_is_refused(host: Host, inside: Host) -> None:
    host.routes["/a.png"] = redirect(f"http://127.0.0.1:{inside.port}/a.png")
    refusal(f"{host.url}/a.png", downloader(host.url))
    assert len(host.received) == 1
    assert inside.received == []


# What works


def test_a_public_image_is_fetched(internet: Internet, public: Host) -> None:
    assert downloader().fetch(f"{PUBLIC}/a.png") == IMAGE
    assert internet.reached == [ADDRESS]
    assert public.received[0].headers["host"] == "images.example"


def test_the_host_is_told_the_name_and_not_the_ip_however_it_is_written(
    internet: Internet, public: Host
) -> None:
    assert downloader().fetch("http://Images.EXAMPLE:8080/a.png") == IMAGE
    assert public.received[0].headers["host"] == "images.example:8080"
    assert internet.reached == [ADDRESS]


@pytest.mark.usefixtures("internet")
def test_label_studio_itself_is_fetched_from_wherever_it_is(host: Host, inside: Host) -> None:
    host.routes["/a.png"] = Reply(body=IMAGE)
    assert downloader(host.url).fetch(f"{host.url}/a.png") == IMAGE
    refusal(f"http://127.0.0.1:{inside.port}/a.png", downloader(host.url))
    refusal(f"https://127.0.0.1:{host.port}/a.png", downloader(host.url))
    refusal(f"http://127.1:{host.port}/a.png", downloader(host.url))
    assert len(host.received) == 1
    assert inside.received == []


def test_without_a_guard_only_label_studio_is_fetched_from(host: Host, inside: Host) -> None:
    host.routes["/a.png"] = Reply(body=IMAGE)
    subject = Downloader(
        host.url, Credentials(GuardedTransport(host.url, timeout=(1, 1)), ""), LIMITS
    )
    assert subject.fetch(f"{host.url}/a.png") == IMAGE
    refusal(f"{inside.url}/a.png", subject)
    assert inside.received == []


@pytest.mark.parametrize(
    "entry", ["minio", "minio:{port}", "*.corp", "10.0.0.0/8", "10.0.0.5", "10.0.0.5:{port}"]
)
def test_an_allowed_host_is_fetched_from(entry: str, internet: Internet, host: Host) -> None:
    host.routes["/a.png"] = Reply(body=IMAGE)
    internet.servers["10.0.0.5"] = host.port
    internet.answers |= {"minio": [["10.0.0.5"]], "minio.corp": [["10.0.0.5"]]}
    name = "minio.corp" if entry.startswith("*") else "minio"
    subject = downloader(allowed=entry.format(port=host.port))
    assert subject.fetch(f"http://{name}:{host.port}/a.png") == IMAGE
    assert internet.reached == ["10.0.0.5"]


@pytest.mark.parametrize("entry", ["minio:1", "*.corp", "172.16.0.0/12", "mini"])
def test_a_host_that_no_entry_names_is_not(entry: str, internet: Internet, host: Host) -> None:
    internet.answers["minio"] = [["10.0.0.5"]]
    refusal(f"http://minio:{host.port}/a.png", downloader(allowed=entry))
    assert internet.reached == []


def test_a_redirect_to_an_allowed_host_is_followed(public: Host, other_host: Host) -> None:
    public.routes["/a.png"] = redirect(f"{other_host.url}/b.png")
    other_host.routes["/b.png"] = Reply(body=IMAGE)
    subject = downloader(allowed=f"127.0.0.1:{other_host.port}")
    assert subject.fetch(f"{PUBLIC}/a.png") == IMAGE
    assert "authorization" not in other_host.received[0].headers
