"""Secrets: values never show, and are found in whatever comes back."""

from __future__ import annotations

import json
import pickle
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.problems import ReconcilerError
from reconciler.specs import Masker, SecretValues, SecretVariable, fingerprint
from reconciler.specs.variables import secret_variables, with_placeholders, with_values

TOKEN = "tok-4711-äöü"


def masker(**values: str) -> Masker:
    return Masker(SecretValues(values))


def test_secrets_are_found_at_any_depth() -> None:
    variables = {"crm": {"tokens": [{"secret": {"env": "A"}}, "plain"]}, "top": {"secret": {"env": "B"}}}
    assert secret_variables(variables) == (SecretVariable("crm.tokens.0", "A"), SecretVariable("top", "B"))
    shown = with_placeholders(variables)
    assert f"{shown['crm']['tokens'][0]!s}" == "(secret crm.tokens.0)"
    values = SecretValues.resolve(secret_variables(variables), {"A": TOKEN})
    real = with_values(variables, values)
    assert f"{real['crm']['tokens'][0]!s}" == TOKEN
    assert f"{real['top']!s}" == "(secret top)"
    assert TOKEN not in repr(real)


def test_values_never_show_and_are_never_stored() -> None:
    values = SecretValues.resolve([SecretVariable("crm", "CRM"), SecretVariable("b", "B")], {"CRM": TOKEN, "B": ""})
    assert TOKEN not in f"{values!r} {values!s} {Masker(values)!r}"
    assert values.missing() == (SecretVariable("b", "B"),)
    assert values.get("crm") == TOKEN
    with pytest.raises(TypeError):
        pickle.dumps(values)
    with pytest.raises(TypeError):
        json.dumps(values)


def test_a_value_that_is_no_text_is_an_error_that_does_not_show_it() -> None:
    with pytest.raises(ReconcilerError) as caught:
        SecretValues.resolve([SecretVariable("crm", "CRM")], {"CRM": "abc\udcff"})
    assert "CRM" in caught.value.message
    assert "abc" not in caught.value.message


def test_masks_the_longest_first_and_keeps_placeholders() -> None:
    mask = masker(short="abcd", long="abcdefgh", word="secret").mask
    assert mask("x abcdefgh abcd") == "x (secret long) (secret short)"
    assert mask(mask("abcd secret")) == mask("abcd secret") == "(secret short) (secret word)"


@pytest.mark.parametrize("write", [json.dumps, lambda text: json.dumps(text, ensure_ascii=False)])
def test_masks_values_as_they_are_escaped_elsewhere(write: object) -> None:
    value = 'a"b\\c\näø'
    text = f"error: {json.dumps({'x': value})}"
    assert masker(crm=value).mask(text) == 'error: {"x": "(secret crm)"}'
    assert masker(crm="a b/c&d").mask("GET /x?token=a%20b%2Fc%26d") == "GET /x?token=(secret crm)"


def test_masks_secrets_of_several_lines_also_when_indented() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----"
    text = "lit: |\n  -----BEGIN KEY-----\n  MIIEvQIBADANBg\n  -----END KEY-----\n"
    assert "MIIEvQ" not in masker(key=key).mask(text)


def test_short_values_count_only_as_whole_scalars() -> None:
    mask = masker(pin="123")
    assert mask.mask("call 123456") == "call 123456"
    assert mask.mask_tree({"pin": "123", "n": 123, "list": ["123", "1234"], "yes": True}) == {
        "pin": "(secret pin)",
        "n": "(secret pin)",
        "list": ["(secret pin)", "1234"],
        "yes": True,
    }


@given(
    value=st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=12),
    before=st.text(string.ascii_letters + '"\\ \n', max_size=10),
    after=st.text(string.ascii_letters + '"\\ \n', max_size=10),
)
def test_no_value_is_left_in_a_masked_text(value: str, before: str, after: str) -> None:
    placeholder = "(secret crm)"
    masked = masker(crm=value).mask(f"{before}{value}{after}")
    assert value not in masked.replace(placeholder, "\ue000") or value in placeholder
    assert masker(crm=value).mask(masked) == masked


def test_fingerprints_show_a_rotation_and_little_else() -> None:
    assert fingerprint("one", "salt") == fingerprint("one", "salt")
    assert fingerprint("one", "salt") != fingerprint("two", "salt")
    assert fingerprint("one", "salt") != fingerprint("one", "pepper")
    assert len(fingerprint("one", "salt")) == 4
    assert SecretValues({"a": "one"}).fingerprint("a", "salt") == fingerprint("one", "salt")
    assert SecretValues({}).fingerprint("a", "salt") is None
