"""User prompts and their resources, one a language (facts §3.7; SDK ``Prompt``, ``PromptAsset``)."""

from __future__ import annotations

import re
from typing import Any

from reconciler.sandbox import crud, objects, usage
from reconciler.sandbox.call import Call, Endpoint, Reply, text_field
from reconciler.sandbox.errors import ApiError, conflict, invalid_value, not_found
from reconciler.sandbox.objects import Stored
from reconciler.sandbox.shapes import SHAPES, division_of_body, show
from reconciler.sandbox.wire import page

_PATH = SHAPES["prompt"].path
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,199}")


def spoken(texts: dict[str, str]) -> list[dict[str, Any]]:
    """Resources that are spoken text: language → text."""
    return [{"language": language, "ttsString": text} for language, text in texts.items()]


def _show_resource(prompt: Stored, resource: dict[str, Any]) -> dict[str, Any]:
    language = resource["language"]
    return {
        "id": language,
        "promptId": prompt.id,
        "tags": {},
        "languageDefault": False,
        **resource,
        "uploadStatus": resource.get("uploadStatus", "created"),
        "selfUri": f"{_PATH}/{prompt.id}/resources/{language}",
    }


def show_prompt(call: Call, prompt: Stored) -> dict[str, Any]:
    """A prompt; its resources unless ``includeResources=false``, those of some languages with ``language``."""
    shown, languages = show(call.db, prompt), call.many("language")
    if call.flag("includeResources", default=True):
        shown["resources"] = [
            _show_resource(prompt, item)
            for item in prompt.body.get("resources", [])
            if not languages or item["language"] in languages
        ]
    else:
        shown.pop("resources", None)
    return shown


def _checked_name(call: Call, body: dict[str, Any], own_id: str | None = None) -> str:
    name = text_field(body, "name", required=True)
    if not _NAME.fullmatch(name):
        raise invalid_value(
            f"'{name}' is not a valid prompt name: letters, digits and underscores, not starting with an "
            "underscore, at most 200."
        )
    crud.check_name_free(call, "prompt", name, own_id=own_id)
    return name


def list_prompts(call: Call) -> dict[str, Any]:
    """``GET /architect/prompts``; ``name`` may repeat."""
    return crud.list_objects(call, "prompt", shape=lambda item: show_prompt(call, item), several_names=True)


def get_prompt(call: Call) -> dict[str, Any]:
    """``GET /architect/prompts/{id}``."""
    return show_prompt(call, crud.object_of(call, "prompt", call.params["id"]))


def create_prompt(call: Call) -> dict[str, Any]:
    """``POST /architect/prompts``."""
    body = call.object()
    made = objects.insert(
        call.db,
        call.edit,
        "prompt",
        _checked_name(call, body),
        division_id=division_of_body(call, body, starred=True) or objects.home_division(call.db).id,
        body={"description": text_field(body, "description"), "resources": []},
    )
    return show_prompt(call, made)


def update_prompt(call: Call) -> dict[str, Any]:
    """``PUT /architect/prompts/{id}``."""
    prompt = crud.object_of(call, "prompt", call.params["id"])
    body = call.object()
    after = objects.change(
        call.db,
        call.edit,
        prompt,
        name=_checked_name(call, body, prompt.id),
        division_id=division_of_body(call, body, starred=True),
        body={**prompt.body, "description": text_field(body, "description")},
    )
    return show_prompt(call, after)


def delete_prompt(call: Call) -> Reply:
    """``DELETE /architect/prompts/{id}``; with resources only with ``allResources=true``."""
    prompt = crud.object_of(call, "prompt", call.params["id"])
    usage.check_object_unused(call, prompt)
    if prompt.body.get("resources") and not call.flag("allResources"):
        raise conflict(f"The prompt '{prompt.name}' still has resources.", "architect.prompt.has.resources")
    objects.change(call.db, call.edit, prompt, state=objects.DELETED)
    return Reply(status=204)


def list_resources(call: Call) -> dict[str, Any]:
    """``GET /architect/prompts/{id}/resources``."""
    prompt = crud.object_of(call, "prompt", call.params["id"])
    return page(call, prompt.body.get("resources", []), lambda item: _show_resource(prompt, item))


def _resource(call: Call, prompt: Stored) -> dict[str, Any]:
    for item in prompt.body.get("resources", []):
        if item["language"] == call.params["language"]:
            return dict(item)
    raise not_found(f"The prompt '{prompt.name}' has no resource for '{call.params['language']}'.")


def get_resource(call: Call) -> dict[str, Any]:
    """``GET …/resources/{language}``."""
    prompt = crud.object_of(call, "prompt", call.params["id"])
    return _show_resource(prompt, _resource(call, prompt))


def create_resource(call: Call) -> dict[str, Any]:
    """``POST …/resources``: spoken text for one language."""
    prompt = crud.object_of(call, "prompt", call.params["id"])
    body = call.object()
    language = text_field(body, "language", required=True)
    if any(item["language"] == language for item in prompt.body.get("resources", [])):
        raise conflict(f"The prompt '{prompt.name}' already has a resource for '{language}'.")
    return _keep_resource(call, prompt, language, body)


def update_resource(call: Call) -> dict[str, Any]:
    """``PUT …/resources/{language}``."""
    prompt = crud.object_of(call, "prompt", call.params["id"])
    _resource(call, prompt)
    return _keep_resource(call, prompt, call.params["language"], call.object())


def _keep_resource(call: Call, prompt: Stored, language: str, body: dict[str, Any]) -> dict[str, Any]:
    tags = body.get("tags") or {}
    if not isinstance(tags, dict):
        raise ApiError(400, "invalid.value", "The field 'tags' must be an object.")
    resource = {
        "language": language,
        "ttsString": text_field(body, "ttsString"),
        "text": text_field(body, "text"),
        "tags": tags,
    }
    others = [item for item in prompt.body.get("resources", []) if item["language"] != language]
    kept = {**prompt.body, "resources": [*others, resource]}
    return _show_resource(objects.change(call.db, call.edit, prompt, body=kept), resource)


def delete_resource(call: Call) -> Reply:
    """``DELETE …/resources/{language}``."""
    prompt = crud.object_of(call, "prompt", call.params["id"])
    language = _resource(call, prompt)["language"]
    others = [item for item in prompt.body["resources"] if item["language"] != language]
    objects.change(call.db, call.edit, prompt, body={**prompt.body, "resources": others})
    return Reply(status=204)


_LIST = (
    *("pageNumber", "pageSize", "name", "description", "nameOrDescription", "sortBy", "sortOrder"),
    *("includeMediaUris", "includeResources", "language", "divisionId"),
)
_ONE = f"{_PATH}/{{id}}"
_RESOURCES = f"{_ONE}/resources"

ENDPOINTS = (
    Endpoint("GET", _PATH, list_prompts, query=_LIST),
    Endpoint("POST", _PATH, create_prompt),
    Endpoint("GET", _ONE, get_prompt, query=("includeMediaUris", "includeResources", "language")),
    Endpoint("PUT", _ONE, update_prompt),
    Endpoint("DELETE", _ONE, delete_prompt, query=("allResources",)),
    Endpoint("GET", _RESOURCES, list_resources, query=("pageNumber", "pageSize")),
    Endpoint("POST", _RESOURCES, create_resource),
    Endpoint("GET", f"{_RESOURCES}/{{language}}", get_resource),
    Endpoint("PUT", f"{_RESOURCES}/{{language}}", update_resource),
    Endpoint("DELETE", f"{_RESOURCES}/{{language}}", delete_resource),
)
