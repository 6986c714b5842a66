"""Certificates for one stack, by openssl: an authority of its own, and what it signs. Good for a month."""

import shutil
import subprocess
from pathlib import Path

REQUEST = """\
[req]
distinguished_name = name
prompt = no
x509_extensions = use
[name]
CN = {name}
[use]
"""
AUTHORITY = (
    REQUEST
    + """\
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""
)
SIGNED = (
    REQUEST
    + """\
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = IP:127.0.0.1, DNS:localhost
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
)


def openssl_is_there() -> bool:
    """Whether this machine can make certificates."""
    return shutil.which("openssl") is not None


def make_authority(directory: Path, name: str = "ca") -> Path:
    """`name`.pem, which is returned, and `name`.key; those that are there already stay. Raises RuntimeError."""
    directory.mkdir(parents=True, exist_ok=True)
    return _made(directory, name, AUTHORITY)


def signed(directory: Path, name: str, authority: str = "ca", common_name: str | None = None) -> Path:
    """`name`.pem with `name`.key, for programs on this machine; returns its path. Raises RuntimeError."""
    signer = ("-CA", str(directory / f"{authority}.pem"), "-CAkey", str(directory / f"{authority}.key"))
    return _made(directory, name, SIGNED.replace("{name}", common_name or name), *signer)


def _made(directory: Path, name: str, config: str, *signer: str) -> Path:
    certificate, key, wanted = (directory / f"{name}.{ending}" for ending in ("pem", "key", "cnf"))
    if certificate.exists():
        return certificate
    wanted.write_text(config.format(name=name))
    command = ["openssl", "req", "-x509", "-days", "30", "-nodes", "-newkey", "ec"]
    command += ["-pkeyopt", "ec_paramgen_curve:P-256", "-config", str(wanted)]
    command += ["-keyout", str(key), "-out", str(certificate), *signer]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl could not make {certificate}: {done.stderr}")
    return certificate
