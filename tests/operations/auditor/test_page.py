"""docs/auditor.md has the kinds as the code has them."""

from __future__ import annotations

import pytest

from deploy.local.layout import REPOSITORY
from services.operations.auditor.findings import Kind
from services.operations.auditor.meanings import MEANINGS, table


@pytest.mark.requirement("auditor")
def test_the_page_has_every_kind_with_what_to_do() -> None:
    page = (REPOSITORY / "docs" / "auditor.md").read_text()
    assert list(MEANINGS) == list(Kind)
    assert page.partition("<!-- kinds -->\n")[2].partition("\n<!-- end of kinds -->")[0] == table()
