"""Settings that may lie in files: X_FILE names the file that holds X, and what is changed there is used from then on.

Who runs us mounts secrets as files and replaces them in place; docs/operate/security.md says what is read when.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Self

import structlog
from pydantic import PrivateAttr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

log = structlog.get_logger()
Stamp = tuple[int, int, int]


def setting_file(name: str) -> Path | None:
    """The file that holds the environment variable `name`, where one is named. Raises ValueError where both are set."""
    file = os.environ.get(f"{name}_FILE")
    if file and os.environ.get(name):
        raise ValueError(f"{name} and {name}_FILE are both set: give one of them")
    return Path(file) if file else None


def text_of(file: Path) -> str:
    """What it holds, without the line end that an editor has left there. Raises OSError."""
    return file.read_text(encoding="utf-8").removesuffix("\n")


class Followed:
    """What a file holds whenever it is called; where it cannot be read, the last good text stays, and the log says so.
    Raises OSError or ValueError as long as there is none."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._last: str | None = None

    def __call__(self) -> str:
        try:
            self._last = text_of(self._file)
        except (OSError, ValueError) as error:
            if self._last is None:
                raise
            log.error("files of settings cannot be used, the last good values stay", error=str(error))
        return self._last


class FromFiles(PydanticBaseSettingsSource):
    """The fields that the environment names a file for."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """A field's text, or None; and that JSON in it is to be read where the field's type needs it."""
        file = setting_file(field_name.upper())
        return (None if file is None else text_of(file)), field_name, False

    def __call__(self) -> dict[str, Any]:
        """By field, what its file holds."""
        found: dict[str, Any] = {}
        for name, field in self.settings_cls.model_fields.items():
            value, _, is_complex = self.get_field_value(field, name)
            if value is not None:
                found[name] = self.prepare_field_value(name, field, value, is_complex)
        return found


class FileSettings(BaseSettings):
    """Environment variables of the fields' names, upper case, or the files that X_FILE names; never both."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    _read: dict[Path, Stamp | None] = PrivateAttr()
    """The files, each as it was when it was looked at last."""
    _latest: Self | None = PrivateAttr(default=None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What a caller gives, then the environment, then files."""
        return init_settings, env_settings, FromFiles(settings_cls)

    def model_post_init(self, _: Any) -> None:
        named = (setting_file(name.upper()) for name in type(self).model_fields)
        self._read = {file: _stamp(file) for file in named if file is not None}

    def now(self) -> Self:
        """These settings with what their files hold now; it costs one look at each file.

        A file that is gone or holds nonsense is no reason to stop: the last good values stay, and the log says so.
        """
        read = {file: _stamp(file) for file in self._read}
        if read != self._read:
            self._read = read
            try:
                given = {name: getattr(self, name) for name in self.model_fields_set}
                self._latest = type(self)(**{**given, **FromFiles(type(self))()})
            except (OSError, ValueError) as error:
                log.error("files of settings cannot be used, the last good values stay", error=str(error))
            else:
                log.info("files of settings were read anew")
        return self._latest or self


def _stamp(file: Path) -> Stamp | None:
    """What changes with a file's content."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ctime_ns, found.st_size, found.st_ino  # of rights, too: unreadable yesterday, readable now
