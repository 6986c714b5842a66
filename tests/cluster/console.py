"""The console as an operator comes to it: with a token, by the Service's address, to the page Now."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import aiohttp
from booking_contracts.testkit.waiting import eventually

from tests.cluster.pods import Pods

SECONDS = 60.0
"""So long after a blow, when the services are at rest, it may take until everything is shown again."""
PATIENCE_SECONDS = 10.0
SHOWN = 200
"""Characters of a page that is another one."""
AWAY = re.compile(
    r"the database of \w+ (?:does not answer|takes too long to answer|was not named)"
    r"|Kafka (?:does not answer|could not be looked at|has not been asked yet)|what it said is too old"
)


@dataclass
class Console:
    """`token` may be another one from one look to the next."""

    url: str
    token: str
    pods: Pods

    async def again(self) -> float:
        """The seconds until the page is whole at the Service's address and at each pod's. Raises NeverHappened."""
        began = time.monotonic()
        urls = [self.url, *(f"http://{pod.address}:8080" for pod in self.pods.now("console"))]

        async def look() -> list[str]:
            return [wrong for url in urls for wrong in await amiss(url, self.token)]

        await eventually("the console shows everything", look, lambda wrong: not wrong, SECONDS)
        return time.monotonic() - began


async def amiss(url: str, token: str) -> list[str]:
    """What is not as it should be with the page Now for who logs in with that token."""
    jar, patience = aiohttp.CookieJar(unsafe=True), aiohttp.ClientTimeout(total=PATIENCE_SECONDS)  # of numbers, too
    try:
        async with (
            aiohttp.ClientSession(cookie_jar=jar, timeout=patience) as http,
            http.post(f"{url}/login", data={"token": token}) as answer,  # which leads to the page
        ):
            page = await answer.text()
    except (aiohttp.ClientError, TimeoutError) as problem:
        return [f"{url}: {type(problem).__name__}: {problem}"]
    if answer.status != 200 or "<h1>Now</h1>" not in page:
        return [f"{url}: status {answer.status}: {page[:SHOWN]}"]
    return [f"{url}: {why}" for why in sorted(set(AWAY.findall(page)))]
