"""An archive of the chart that was signed is known again, and another one is not (25: packages signed)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.helm.package import package
from deploy.helm.tools import tool

pytestmark = pytest.mark.requirement("chart")
NAME = "Test of the chart"


@pytest.mark.skipif(shutil.which("gpg") is None, reason="no GnuPG makes a key here")
def test_a_signed_archive_is_known_again(tools: None, tmp_path: Path) -> None:
    home = tmp_path / "g"
    home.mkdir(mode=0o700)

    def gpg(*said: str) -> bytes:
        return subprocess.run(["gpg", "--homedir", home, "--batch", *said], check=True, capture_output=True).stdout

    gpg("--passphrase", "", "--quick-generate-key", NAME, "rsa2048", "sign", "never")
    secret, public = tmp_path / "secret.gpg", tmp_path / "public.gpg"
    secret.write_bytes(gpg("--export-secret-keys"))
    public.write_bytes(gpg("--export"))
    package(tmp_path, NAME, str(secret))
    (archive,) = tmp_path.glob("*.tgz")
    verify = [str(tool("helm4")), "verify", str(archive), "--keyring", str(public)]
    subprocess.run(verify, check=True)
    archive.write_bytes(archive.read_bytes() + b" ")
    assert subprocess.run(verify, check=False, capture_output=True).returncode != 0
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
