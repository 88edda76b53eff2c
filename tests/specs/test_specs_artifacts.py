"""The cache of artifacts: never wrong, never in the way, and nothing secret in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import diskcache
import pytest
from specs_support import ENVIRONMENT, Tree, common_module, flow

import reconciler.cache
from reconciler.problems import SpecError
from reconciler.specs import ArtifactCache, artifacts
from reconciler.specs import loader as loader_module
from reconciler.specs.template import Renderer

VALUE = "tok-4711-secret"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path / "repository")
    made.write("shared/m.yaml", common_module("M"))
    made.write("shared/_greeting.j2", "Hello from {{ company }}")
    made.write("flows/a.yaml", flow("A", says="\"{% include '_greeting.j2' %}\"", module="M"))
    made.write(
        "flows/b.yaml", flow("B", says="{{ token | yaml }}") + "---\nivr:\n  name: L\n  dnis: {{ numbers.sales }}\n"
    )
    return made


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ArtifactCache]:
    with ArtifactCache(tmp_path / "cache") as made:
        yield made


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths that were rendered, in order."""
    paths: list[str] = []
    original = Renderer.render

    def render(self: Renderer, path: str, text: str | None = None) -> Any:
        paths.append(path)
        return original(self, path, text)

    monkeypatch.setattr(Renderer, "render", render)
    return paths


def test_unchanged_files_are_neither_rendered_nor_parsed_and_mean_the_same(
    tree: Tree, cache: ArtifactCache, rendered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tree.load()
    cold = tree.load(cache=cache)
    rendered.clear()
    with monkeypatch.context() as patched:
        patched.delattr(loader_module, "read_documents")
        warm = tree.load(cache=cache, secrets={"TOKEN": VALUE})
    assert rendered == []
    assert plain.digest == cold.digest == warm.digest
    assert list(plain.resources.values()) == list(cold.resources.values()) == list(warm.resources.values())
    desired = warm.resources["inboundCall/B"]
    assert VALUE in (desired.content.upload or "")
    assert desired.content.text == plain.resources["inboundCall/B"].content.text
    assert warm.resources["ivr/L"].locate(("ivr", "name")) == plain.resources["ivr/L"].locate(("ivr", "name"))


def test_only_what_changed_is_rendered_again(tree: Tree, cache: ArtifactCache, rendered: list[str]) -> None:
    tree.load(cache=cache)
    rendered.clear()
    tree.write("shared/_greeting.j2", "Good day from {{ company }}")
    changed = tree.load(cache=cache)
    assert rendered == ["flows/a.yaml"]
    assert changed.digest == tree.load().digest
    rendered.clear()
    tree.write("environments/prod.yaml", ENVIRONMENT.replace("Nordlys", "Sydlys"))
    assert tree.load(cache=cache).digest == tree.load().digest != changed.digest
    assert "flows/a.yaml" in rendered


def test_an_include_that_appears_later_counts(tree: Tree, cache: ArtifactCache) -> None:
    tree.write("flows/c.yaml", flow("C", says="\"x{% include '_later.j2' ignore missing %}\""))
    before = tree.load(cache=cache)
    tree.write("shared/_later.j2", "later")
    after = tree.load(cache=cache)
    assert before.resources["inboundCall/C"].digest != after.resources["inboundCall/C"].digest


def test_a_plain_value_in_place_of_a_secret_counts(tree: Tree, cache: ArtifactCache) -> None:
    tree.load(cache=cache)
    tree.write("environments/prod.yaml", ENVIRONMENT.replace("{secret: {env: TOKEN}}", '"(secret token)"'))
    assert tree.load(cache=cache).resources["inboundCall/B"].secrets == ()


def test_changed_code_counts(
    tree: Tree, cache: ArtifactCache, rendered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.load(cache=cache)
    rendered.clear()
    monkeypatch.setattr(artifacts, "code_digest", lambda: "other")
    tree.load(cache=cache)
    assert len(rendered) == 3


def test_files_with_findings_are_not_kept(tree: Tree, cache: ArtifactCache, rendered: list[str]) -> None:
    tree.write("flows/c.yaml", flow("{{ nothing }}"))
    for _run in range(2):
        rendered.clear()
        with pytest.raises(SpecError) as caught:
            tree.load(cache=cache)
        assert [finding.id for finding in caught.value.findings] == ["undefined-variable"]
    assert rendered == ["flows/c.yaml"]


def test_no_value_of_a_secret_reaches_the_disk(tree: Tree, cache: ArtifactCache, tmp_path: Path) -> None:
    catalog = tree.load(cache=cache, secrets={"TOKEN": VALUE})
    assert VALUE in (catalog.resources["inboundCall/B"].content.upload or "")
    cache.close()
    stored = [path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert stored
    assert not any(VALUE.encode() in data for data in stored)
    with sqlite3.connect(tmp_path / "cache/cache.db") as database:
        modes = {row[0] for row in database.execute("SELECT mode FROM Cache")}
    database.close()
    assert diskcache.core.MODE_PICKLE not in modes


@pytest.mark.parametrize("damage", ["garbage", "directory", "truncated", "wrong value", "pickle"])
def test_a_broken_cache_is_as_good_as_none(tree: Tree, tmp_path: Path, damage: str) -> None:
    expected = tree.load()
    folder = tmp_path / "broken"
    with ArtifactCache(folder) as cache:
        tree.load(cache=cache)
    database = folder / "cache.db"
    if damage == "garbage":
        database.write_bytes(b"no database" * 1000)
    elif damage == "directory":
        for file in folder.iterdir():
            file.unlink()
        database.mkdir()
    elif damage == "truncated":
        database.write_bytes(database.read_bytes()[:5000])
    else:
        connection = sqlite3.connect(database)
        mode = 4 if damage == "pickle" else 1
        connection.execute("UPDATE Cache SET value = x'8004952e', mode = ?", (mode,))
        connection.commit()
        connection.close()
    for _run in range(2):
        with ArtifactCache(folder) as cache:
            loaded = tree.load(cache=cache)
        assert loaded.digest == expected.digest


def test_a_cache_that_somebody_holds_costs_a_moment_and_nothing_else(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciler.cache, "LOCK_SECONDS", 0.05)
    folder = tmp_path / "locked"
    with ArtifactCache(folder) as cache:
        tree.load(cache=cache)
    holder = sqlite3.connect(folder / "cache.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with ArtifactCache(folder) as cache:
            assert tree.load(cache=cache).digest == tree.load().digest
    finally:
        holder.close()


def test_a_folder_that_cannot_be_made_is_no_error(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with ArtifactCache(tmp_path / "file" / "cache") as cache:
        assert tree.load(cache=cache).resources


def test_a_file_that_changes_between_plan_and_upload_is_noticed(tree: Tree, cache: ArtifactCache) -> None:
    tree.load(cache=cache)
    warm = tree.load(cache=cache)
    tree.write("shared/_greeting.j2", "Changed meanwhile")
    with pytest.raises(SpecError) as caught:
        _ = warm.resources["inboundCall/A"].content
    assert caught.value.findings[0].id == "changed-while-reading"
