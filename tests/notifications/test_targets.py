"""Where webhooks may go, and where never."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from services.notifications.model.targets import BadTarget, Targets

pytestmark = pytest.mark.requirement("notify-systems")
FORBIDDEN = (
    *("0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "169.254.169.254", "172.16.0.1"),
    *("192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "168.63.129.16"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::8.8.8.8"),  # IPv4-mapped, IPv4-compatible
    *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1"),  # NAT64
    *("2002:7f00:1::1", "2001:0:1::1", "2001:db8::1", "3fff::1"),  # 6to4, Teredo, documentation
)
PUBLIC = ("8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450:4001::200e")


@pytest.mark.parametrize("address", FORBIDDEN)
def test_what_is_not_the_public_internet_is_refused(address: str) -> None:
    assert not Targets().allows(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_allowed(address: str) -> None:
    assert Targets().allows(ip_address(address))


def test_a_network_that_is_named_is_allowed_and_no_other() -> None:
    targets = Targets(networks=(ip_network("10.1.0.0/16"), ip_network("fd00::/8")))

    allowed = ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "8.8.8.8")
    assert all(targets.allows(ip_address(one)) for one in allowed)
    assert not any(targets.allows(ip_address(one)) for one in ("10.2.0.1", "::ffff:10.2.0.1", "127.0.0.1", "fe80::1"))


@pytest.mark.parametrize(
    "url", ["https://example.org/hook", "https://example.org:443/", "https://8.8.8.8/x?y=1", "https://xn--bcher-kva.de"]
)
def test_an_ordinary_url_is_taken(url: str) -> None:
    Targets().check(url)


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("http://example.org/", "https"),
        ("ftp://example.org/", "https"),
        ("//example.org/", "https"),
        ("https://", "host"),
        ("https://user:word@example.org/", "user"),
        ("https://example.org/#there", "fragment"),
        ("https://example.org:8443/", "port 8443"),
        ("https://example.org:0/", "port 0"),
        ("https://example.org:99999/", "no URL"),
        ("https://[::1/", "no URL"),
        ("https://127.0.0.1/", "127.0.0.1"),
        ("https://[::ffff:169.254.169.254]/", "not allowed"),
        ("https://exam ple.org/", "printable"),
        ("https://bücher.de/", "printable"),
        ("https://example.org/\r\nHost: x", "printable"),
        (f"https://example.org/{'x' * 2000}", "2000"),
    ],
)
def test_a_url_that_can_never_be_used_is_refused_with_a_sentence(url: str, wrong: str) -> None:
    with pytest.raises(BadTarget, match=wrong):
        Targets().check(url)
