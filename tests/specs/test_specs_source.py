"""Reading from the work tree and from Git gives the same, and never leaves the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from specs_support import Tree, flow, place

from reconciler.problems import SpecError
from reconciler.specs import GitError, GitRevision, Source, WorkingTree, commit_state
from reconciler.specs.source import MAX_FILE_BYTES


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path / "repository")
    made.write("flows/sub dir/ø sales.yaml", flow("Sales"))
    made.write("shared/_macros/voice.yaml.j2", "x")
    made.write("elsewhere/secret.txt", "not ours")
    made.git("init", "-q", "-b", "main")
    made.git("add", ".")
    made.git("commit", "-qm", "first")
    return made


@pytest.fixture(params=["work tree", "git"])
def source(request: pytest.FixtureRequest, tree: Tree) -> Source:
    return WorkingTree(tree.root) if request.param == "work tree" else GitRevision(tree.root, "HEAD")


def unusable(source: Source, path: str) -> str:
    with pytest.raises(SpecError) as caught:
        source.read(path)
    (finding,) = caught.value.findings
    assert finding.file == path
    assert finding.remedy
    return finding.id


def test_lists_sorted_paths_and_reads_them(source: Source) -> None:
    assert source.list("flows", "shared", "nothing") == ["flows/sub dir/ø sales.yaml", "shared/_macros/voice.yaml.j2"]
    assert source.read("flows/sub dir/ø sales.yaml") == flow("Sales")
    assert source.exists("shared/_macros/voice.yaml.j2")
    assert not source.exists("shared/_macros")


@pytest.mark.parametrize("path", ["../outside.yaml", "/etc/passwd", "flows/../../x", "flows\\x", "", "a\0b"])
def test_refuses_paths_that_leave_the_repository(source: Source, path: str) -> None:
    assert not source.exists(path)
    with pytest.raises(SpecError) as caught:
        source.read(path)
    assert caught.value.findings[0].id == "path-outside-repository"


def test_a_missing_file_is_a_finding(source: Source) -> None:
    assert unusable(source, "flows/none.yaml") == "missing-file"


def test_follows_links_inside_and_refuses_links_outside(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("outside: 1")
    (tree.root / "flows/outside.yaml").symlink_to(tmp_path / "outside.yaml")
    (tree.root / "flows/inside.yaml").symlink_to("../shared/_macros/voice.yaml.j2")
    (tree.root / "flows/loop.yaml").symlink_to("loop.yaml")
    (tree.root / "flows/broken.yaml").symlink_to("further.yaml")
    (tree.root / "flows/further.yaml").symlink_to("../shared/gone.yaml")
    tree.git("add", ".")
    tree.git("commit", "-qm", "links")
    for source in (WorkingTree(tree.root), GitRevision(tree.root, "main")):
        assert source.read("flows/inside.yaml") == "x"
        assert unusable(source, "flows/outside.yaml") == "path-outside-repository"
        assert unusable(source, "flows/loop.yaml") == "unreadable-file"
        assert unusable(source, "flows/broken.yaml") == "broken-link"
        with pytest.raises(SpecError) as caught:
            source.read("flows/broken.yaml")
        message = caught.value.findings[0].message
        assert message == "flows/broken.yaml is a symbolic link to shared/gone.yaml, which does not exist."


def test_text_is_utf8_without_mark_and_with_plain_line_ends(tree: Tree) -> None:
    (tree.root / "flows/a.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\rc: 3\n")
    (tree.root / "flows/b.yaml").write_bytes(b"a: 1\nb: \xff\n")
    assert tree.source.read("flows/a.yaml") == "a: 1\nb: 2\nc: 3\n"
    with pytest.raises(SpecError) as caught:
        tree.source.read("flows/b.yaml")
    assert caught.value.findings[0].id == "not-utf-8"
    assert place(caught.value.findings[0]) == "flows/b.yaml:2"


def test_sizes_and_kinds_of_files_are_bounded(tree: Tree) -> None:
    (tree.root / "flows/large.yaml").write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    os.mkfifo(tree.root / "flows/pipe.yaml")
    assert unusable(tree.source, "flows/large.yaml") == "file-too-large"
    assert unusable(tree.source, "flows/pipe.yaml") == "missing-file"


def test_git_reads_the_revision_and_not_the_work_tree(tree: Tree) -> None:
    tree.write("flows/sub dir/ø sales.yaml", "changed")
    tree.write("flows/new.yaml", "new")
    revision = GitRevision(tree.root, tree.git("rev-parse", "HEAD"))
    assert revision.read("flows/sub dir/ø sales.yaml") == flow("Sales")
    assert not revision.exists("flows/new.yaml")


def test_git_works_below_the_top_of_a_repository_and_inside_a_hook(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = Tree(tree.root / "estate")
    below.write("flows/x.yaml", "x")
    tree.git("add", ".")
    tree.git("commit", "-qm", "below")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert GitRevision(below.root, "main").list("flows") == ["flows/x.yaml"]
    assert commit_state(below.root).commit is not None


@pytest.mark.parametrize("revision", ["0" * 40, "no-such-branch", "--output=x", ""])
def test_an_unknown_revision_is_an_error_with_a_remedy(tree: Tree, revision: str) -> None:
    with pytest.raises(GitError) as caught:
        GitRevision(tree.root, revision)
    assert caught.value.remedy


def test_commit_state_knows_what_is_not_committed(tree: Tree, tmp_path: Path) -> None:
    head = tree.git("rev-parse", "HEAD")
    assert commit_state(tree.root).commit == head
    assert not commit_state(tree.root).dirty
    tree.write("elsewhere/other.txt", "no spec")
    assert not commit_state(tree.root).dirty
    tree.write("shared/new.yaml", "untracked")
    assert commit_state(tree.root).dirty
    (Path(os.fsdecode(os.fsencode(tree.root) + b"/flows/gr\xf8n.yaml"))).touch()
    assert commit_state(tree.root).changed == ("flows/gr\N{REPLACEMENT CHARACTER}n.yaml", "shared/new.yaml")
    outside = tmp_path / "plain"
    outside.mkdir()
    assert commit_state(outside).commit is None
    assert not commit_state(outside).dirty


def test_a_repository_without_commits_has_no_commit_but_changes(tmp_path: Path) -> None:
    fresh = Tree(tmp_path / "fresh")
    fresh.git("init", "-q")
    assert commit_state(fresh.root).commit is None
    assert commit_state(fresh.root).dirty
