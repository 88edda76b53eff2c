"""The pin of an environment is one line of its file; everything else stays as people wrote it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.archy.yaml import load
from reconciler.specs.pin import PinError, with_release

SHA = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "# Prod\nextends: _base  # all\norg: {region: x}\n",
            "# Prod\nextends: _base  # all\nrelease: SHA\norg: {region: x}\n",
        ),
        ("# Prod\n\norg: {region: x}\n", "# Prod\n\nrelease: SHA\norg: {region: x}\n"),
        ("---\norg:\n  region: x\n", "---\nrelease: SHA\norg:\n  region: x\n"),
        ("release: old  # v1.2\norg: {}\n", "release: SHA  # v1.2\norg: {}\n"),
        ("org: {}\nrelease: 'old'", "org: {}\nrelease: SHA"),
        ("release:\norg: {}\n", "release: SHA\norg: {}\n"),
        ("release: # none yet\norg: {}\n", "release: SHA # none yet\norg: {}\n"),
        ("extends: _base", "extends: _base\nrelease: SHA\n"),
        ("", "release: SHA\n"),
        ("# nothing yet\n", "# nothing yet\nrelease: SHA\n"),
        ("extends: _base\r\norg: {}\r\n", "extends: _base\r\nrelease: SHA\r\norg: {}\r\n"),
    ],
)
def test_only_the_pin_changes(before, after):
    assert with_release(before, SHA, "environments/prod.yaml") == after.replace("SHA", SHA)


@pytest.mark.parametrize(
    "text", ["{org: {}}", "[1]", "release: >\n  old\norg: {}\n", "a: [", "release: &x old\nb: *x\n"]
)
def test_a_file_that_cannot_be_edited_in_one_line_is_left_to_its_owner(text):
    with pytest.raises(PinError) as refused:
        with_release(text, SHA, "environments/prod.yaml")
    assert "environments/prod.yaml" in refused.value.message
    assert SHA in (refused.value.remedy or "")


@pytest.mark.parametrize(
    "commit", ["1234567890123456789012345678901234567890", "12345678901234567890123456789012345678e1"]
)
def test_an_id_that_looks_like_a_number_stays_a_text(commit):
    assert load(with_release("org: {}\n", commit, "x"))["release"] == commit


keys = st.sampled_from(["org", "extends", "division", "variables", "policy"])
values = st.sampled_from(
    ["x", "{a: 1}", "[1, 2]", "'quoted # no'", "\n  deep: 1  # why", "|\n  text\n  release: no", ""]
)
remarks = st.sampled_from(["", "  # a remark", "\n# release: not this", "\n"])


@given(
    st.lists(st.tuples(keys, values, remarks), unique_by=lambda item: item[0]),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_the_file_holds_one_line_more_or_other_and_the_same_meaning(items, pinned, end):
    text = "".join(f"{key}: {value}{remark if not value.startswith('|') else ''}\n" for key, value, remark in items)
    text = ("release: before\n" if pinned else "") + text
    text = text.replace("\n", end)

    edited = with_release(text, SHA, "x")

    assert load(edited) == {**(load(text) or {}), "release": SHA}
    old, new = text.splitlines(), edited.splitlines()
    added = [line for line in new if line not in old]
    assert added == [f"release: {SHA}"]
    assert [line for line in new if line in old] == [line for line in old if line in new]
