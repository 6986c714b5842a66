"""The page behind the link that ends reminders, in the language that the browser asks for."""

from __future__ import annotations

from services.notifications.locales import LANGUAGES, tag_of, understood
from services.notifications.rendering import TEMPLATES

_PAGE = TEMPLATES.get_template("unsubscribe.html")


def rendered_page(accepted: str, *, asks: bool) -> str:
    """HTML. `accepted` is the header Accept-Language (RFC 9110, 12.5.4), whose first language counts; `asks`: with a
    button, or what pressing it did."""
    locale = understood(accepted.partition(",")[0].partition(";")[0].strip())
    texts = LANGUAGES[locale.language].page
    return _PAGE.render(
        language=tag_of(locale),
        title=texts["title"],
        sentence=texts["question" if asks else "done"],
        button=texts["button"] if asks else "",
    )
