"""What the gate compares with: the last tag, else HEAD, else nothing; or what it is given."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from booking_contracts.schema.baseline import NoSuchVersion, published
from booking_contracts.schema.json_schema import Schema


class Repository:
    """A git repository with one schema in a package below its root."""

    def __init__(self, root: Path) -> None:
        self.package = root / "contracts" / "package"
        self._schemas = self.package / "generated" / "schemas"
        self._schemas.mkdir(parents=True)
        self.git("init", "--quiet", str(root))

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(self.package), *identity, *arguments], check=True, capture_output=True)

    def write(self, title: str) -> None:
        (self._schemas / "a.Message.v1.json").write_text(json.dumps({"title": title}))

    def commit(self, title: str) -> None:
        self.write(title)
        self.git("add", "-A")
        self.git("commit", "--quiet", "-m", title)


def schemas(title: str) -> dict[str, Schema]:
    return {"a.Message.v1": {"title": title}}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    return Repository(tmp_path)


@pytest.mark.requirement("contracts")
def test_without_a_tag_it_is_what_is_committed_and_not_what_lies_there(repository: Repository) -> None:
    repository.commit("committed")
    repository.write("edited")

    assert published(package=repository.package) == ("HEAD", schemas("committed"))


@pytest.mark.requirement("contracts")
def test_with_a_tag_it_is_the_last_tag(repository: Repository) -> None:
    for version in ("one", "two", "three"):
        repository.commit(version)
        if version != "three":
            repository.git("tag", f"v-{version}")

    assert published(package=repository.package) == ("v-two", schemas("two"))


@pytest.mark.requirement("contracts")
def test_a_revision_or_directory_can_be_named(repository: Repository, tmp_path: Path) -> None:
    repository.commit("one")
    repository.commit("two")
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    (directory / "a.Message.v1.json").write_text('{"title": "elsewhere"}')

    assert published("HEAD~1", repository.package) == ("HEAD~1", schemas("one"))
    assert published(str(directory)) == (str(directory), schemas("elsewhere"))


@pytest.mark.requirement("contracts")
def test_without_a_commit_or_without_schemas_everything_is_new(repository: Repository) -> None:
    assert published(package=repository.package)[1] == {}

    repository.git("commit", "--quiet", "--allow-empty", "-m", "nothing yet")

    assert published(package=repository.package) == ("HEAD", {})


@pytest.mark.requirement("contracts")
def test_a_revision_that_does_not_exist_is_not_taken_for_nothing(repository: Repository) -> None:
    repository.commit("one")

    with pytest.raises(NoSuchVersion, match="neither a directory nor a git revision"):
        published("origin/nowhere", repository.package)


@pytest.mark.requirement("contracts")
def test_outside_of_git_a_directory_has_to_be_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchVersion, match="--against DIR"):
        published(package=tmp_path)
