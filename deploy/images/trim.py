"""Deletes from the environment that runs this what the services never read: data of libraries, by far its largest part.

- phonenumbers: names of places and carriers. Numbers are only parsed and written out (services/booking/contact.py).
- babel: languages that no letter is written in; a person who wants one gets English either way
  (services/notifications/locales).
"""

import shutil
from importlib.util import find_spec
from pathlib import Path

from services.notifications.locales import LANGUAGES

UNREAD = ("phonenumbers/geodata", "phonenumbers/carrierdata")
LOCALES = "babel/locale-data"


def packages() -> Path:
    """Where this environment keeps its packages."""
    spec = find_spec("babel")
    assert spec is not None, "babel is a requirement"
    assert spec.origin is not None, "it is an ordinary package"
    return Path(spec.origin).parents[1]


def trim(root: Path) -> None:
    """Delete it below `root`, where packages are. Raises FileNotFoundError where a library keeps it elsewhere."""
    for name in UNREAD:
        shutil.rmtree(root / name)
    for file in (root / LOCALES).iterdir():
        if file.stem.partition("_")[0] not in {"root", *LANGUAGES}:
            file.unlink()


if __name__ == "__main__":
    trim(packages())
