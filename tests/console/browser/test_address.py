"""Where the console is, as `make up` says it (requirement console)."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser

from deploy.local.__main__ import main
from deploy.local.stack import Stack
from tests.console.browser.desk import desk

pytestmark = pytest.mark.requirement("console")


async def test_what_up_says_at_its_end_leads_to_now(
    browser: Browser, watched_stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """Said twice it starts nothing, and says it again."""
    root = watched_stack.log("console").parents[1]
    await asyncio.to_thread(main, ["up", "--root", str(root)])
    said = re.fullmatch(r"The console: (\S+), its token: (\S+)", capsys.readouterr().out.splitlines()[-1])
    assert said is not None
    async with desk(browser, said[1]) as found:
        await found.sign_in(said[2])
