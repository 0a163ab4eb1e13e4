"""The OpenAPI document of the operations table (OpenAPI Specification 3.1.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from provd.api.json.preconditions import HEADER, TAG, takes_revision
from provd.plugin.contract import Operation

_REF: Final = "#/components/schemas/{name}"
_ERRORS: Final = {
    "400": "Wrong arguments: `field` names the one.",
    "401": "No valid token.",
    "403": "The token's role may not do this.",
    "404": "What is named is not there.",
    "409": "Refused: a rule, a plugin, or a revision that is not the current one.",
    "413": "The body is longer than allowed.",
    "500": "The disk, or a fault of provd; the log has the error.",
}
_ERROR: Final = {
    "type": "object",
    "required": ["error", "field", "kind"],
    "properties": {
        "error": {"type": "string", "description": "One sentence: where and which rule."},
        "field": {"type": "string", "description": "Argument that is wrong, or empty."},
        "kind": {"type": "string", "enum": ["usage", "not-found", "refused", "denied", "failed"]},
    },
}
_GUARD: Final = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "The `ETag` of an earlier answer: refused (412) where the object has another revision now.",
    "schema": {"type": "string", "pattern": TAG},
}
_ETAG: Final = {"description": "The revision, where the result has one.", "schema": {"type": "string"}}


def document(operations: Sequence[Operation], version: str) -> Mapping[str, Any]:
    """The whole document.

    Args:
        operations: what can be called.
        version: of provd.
    """
    kinds = tuple({operation.arguments for operation in operations})
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    named = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, Any] = {"/v1/login": _login(), "/v1/logout": _logout()}
    for operation in operations:
        paths[f"/v1/call/{operation.name}"] = {"post": _call(operation, named[operation.arguments])}
    return {
        "openapi": "3.1.0",
        "info": {"title": "provd", "version": version, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": {**components, "Error": _ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


_ABOUT: Final = (
    'Every operation of provd by one POST. Arguments are a JSON object, the answer is `{"result": ...}` or an error. '
    "A write that names a `revision` is refused where the object has another one."
)


def _call(operation: Operation, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    noun = operation.name.partition(".")[0]
    guard = {"parameters": [_GUARD]} if takes_revision(operation) else {}
    stale = ("412", "The revision that `If-Match` names is not the current one.") if guard else ()
    return {
        **guard,
        "operationId": operation.name,
        "tags": [noun],
        "summary": operation.summary,
        "description": f"Permission: `{operation.permission}`. {operation.result} Command line: `{operation.example}`",
        "x-permission": operation.permission,
        "requestBody": {"required": False, "content": {"application/json": {"schema": arguments}}},
        "responses": {"200": _answer({}, tag=True), **_errors(*stale)},
    }


def _login() -> Mapping[str, Any]:
    given = {
        "type": "object",
        "required": ["user", "password"],
        "additionalProperties": False,
        "properties": {"user": {"type": "string"}, "password": {"type": "string"}},
    }
    told = {
        "type": "object",
        "required": ["token", "role", "expires_at"],
        "properties": {
            "token": {"type": "string"},
            "role": {"type": "string"},
            "expires_at": {"type": "number", "description": "Seconds since the epoch."},
        },
    }
    return {
        "post": {
            "operationId": "login",
            "tags": ["access"],
            "summary": "A token for a user with the right password.",
            "security": [],
            "requestBody": {"required": True, "content": {"application/json": {"schema": given}}},
            "responses": {"200": _answer(told), **_errors("429", "Too many failed logins; `Retry-After` says when.")},
        }
    }


def _logout() -> Mapping[str, Any]:
    return {
        "post": {
            "operationId": "logout",
            "tags": ["access"],
            "summary": "End the token that is shown.",
            "responses": {"200": _answer({"type": "boolean"}), **_errors()},
        }
    }


def _answer(result: Mapping[str, Any], *, tag: bool = False) -> Mapping[str, Any]:
    schema = {"type": "object", "required": ["result"], "properties": {"result": result}}
    headers = {"headers": {"ETag": _ETAG}} if tag else {}
    return {"description": "Done.", **headers, "content": {"application/json": {"schema": schema}}}


def _errors(*more: str) -> Mapping[str, Any]:
    texts = dict(_ERRORS)
    if more:
        texts[more[0]] = more[1]
    schema = {"$ref": "#/components/schemas/Error"}
    return {
        status: {"description": text, "content": {"application/json": {"schema": schema}}}
        for status, text in texts.items()
    }
