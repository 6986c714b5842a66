"""Where webhooks may go: URLs, and the addresses behind them (requirement notify-systems).

Sources: IANA, IPv4 and IPv6 Special-Purpose Address Registries; RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4291, 2.5.5.2
(IPv4-mapped addresses).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network
LONGEST_URL = 2_000
NOT_PUBLIC = tuple(
    map(
        IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
            *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
            "168.63.129.16/32",  # metadata of Azure, in a network that is public otherwise
        ),
    )
)
PUBLIC_6 = IPv6Network("2000::/3")
"""All that is global unicast; private, link-local, multicast, IPv4-mapped and NAT64 addresses lie outside of it."""
NOT_PUBLIC_6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
"""Within it: Teredo and its like, documentation, 6to4."""


class BadTarget(ValueError):
    """The text says what is wrong with the URL."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What is allowed beyond the public Internet, `networks`; to which `ports`, to any where there are none; whether
    without TLS."""

    networks: Sequence[Network] = ()
    ports: Sequence[int] = (443,)
    plain_http: bool = False

    def check(self, url: str) -> None:
        """Raises BadTarget for a URL that can never be used. What its name stands for is seen when it is used."""
        if len(url) > LONGEST_URL or any(not 0x21 <= ord(letter) <= 0x7E for letter in url):
            raise BadTarget(f"must be at most {LONGEST_URL} printable ASCII letters, without spaces")
        try:
            parts = urlsplit(url)
            port, host = parts.port, parts.hostname
        except ValueError:
            raise BadTarget("is no URL") from None
        if parts.scheme not in (("https", "http") if self.plain_http else ("https",)):
            raise BadTarget("must begin with https://")
        if not host or "@" in parts.netloc or "#" in url:
            raise BadTarget("must have a host, and neither a user nor a fragment")
        used = port if port is not None else {"https": 443, "http": 80}[parts.scheme]
        if self.ports and used not in self.ports:
            raise BadTarget(f"uses port {used}; allowed are {', '.join(map(str, self.ports))}")
        try:
            literal = ip_address(host)
        except ValueError:
            return
        if not self.allows(literal):
            raise BadTarget(f"goes to {literal}, which is not allowed")

    def allows(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether a connection to exactly this address may be made."""
        if any(address in network for network in self.networks):
            return True
        if isinstance(address, IPv6Address):
            if address.ipv4_mapped is not None:
                return any(address.ipv4_mapped in network for network in self.networks)
            return address in PUBLIC_6 and not any(address in network for network in NOT_PUBLIC_6)
        return not any(address in network for network in NOT_PUBLIC)
