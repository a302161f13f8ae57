"""The OpenAPI document of the application."""

import re
from functools import cache
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from tenor.api.described import EXAMPLES, FIELDS, GROUPS
from tenor.api.problems import Problem

DESCRIPTION = """\
Authenticate with `Authorization: Bearer tnr_live_…`. Amounts, prices and quantities are decimals as text; instants are
ISO 8601 with a zone; ids are TypeIDs (`cus_…`). A reference may be an id or the name by which your own systems know the
thing. Every POST carries an `Idempotency-Key`. Lists are pages: `next` of one is `after` of the following. Errors are
RFC 9457 problems; branch on `code`."""
_FIRST_SENTENCE: Final = re.compile(r"(.+?)(?:[.:;](?:\s|$)|\n|$)", re.DOTALL)
_JSON: Final = "application/json"


def describe(app: FastAPI) -> None:
    """Let the application describe itself as it is, errors included."""

    @cache
    def document() -> dict[str, Any]:
        plain = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=DESCRIPTION,
            routes=app.routes,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
            servers=[{"url": "/", "description": "The server that this comes from."}],
            tags=[{"name": tag, "description": words} for tags in GROUPS.values() for tag, words in tags.items()],
            separate_input_output_schemas=False,
        )
        return _named(_explained(plain))

    app.openapi = document  # type: ignore[method-assign]  # the way that FastAPI documents


def _explained(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document whose operations have summaries and examples, and whose resources stand in groups."""
    document["x-tagGroups"] = [{"name": group, "tags": [*tags]} for group, tags in GROUPS.items()]
    told = {tag["name"] for tag in document["tags"]}
    unused = set(EXAMPLES)
    for operation in (one for methods in document["paths"].values() for one in methods.values()):
        if unknown := set(operation["tags"]) - told:
            raise ValueError(f"GROUPS does not say what {unknown} are")
        operation["summary"] = _summary(operation["description"])
        if examples := EXAMPLES.get(operation["operationId"]):
            operation["requestBody"]["content"][_JSON]["examples"] = {
                _key(title): {"summary": title, "value": value} for title, value in examples.items()
            }
            unused.remove(operation["operationId"])
    if unused:
        raise ValueError(f"EXAMPLES names operations that there are not: {unused}")
    for schema, held in document["components"]["schemas"].items():
        for name, field in held.get("properties", {}).items():
            if words := FIELDS.get(f"{schema}.{name}", FIELDS.get(name)):
                field.setdefault("description", words)
    return document


def _summary(words: str) -> str:
    """Return the first sentence, without its full stop."""
    found = _FIRST_SENTENCE.match(words)
    return " ".join(found[1].split()) if found else words


def _key(title: str) -> str:
    return re.sub(r"\W+", "_", title.lower()).strip("_")


def _named(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with the problem's schema, and names of schemas as a reader expects them."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    problem = TypeAdapter(Problem).json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**problem.pop("$defs", {}), "Problem": problem}
    schemas["Problem"]["additionalProperties"] = True
    if twice := [name for name in schemas if "__" in name.strip("_")]:
        raise ValueError(f"two classes have one name, so that the framework tells their modules: {twice}")
    named: dict[str, Any] = _renamed(document)
    return named


def _renamed(value: Any) -> Any:
    """Return a part of the document in which 'CustomerJson' is 'Customer' and 'Page_CustomerJson_' 'PageOfCustomer'."""
    match value:
        case dict():
            named = {_short(key): _renamed(part) for key, part in value.items()}
            if len(named) < len(value):
                twice = [key for key in value if _short(key) != key and _short(key) in value]
                raise ValueError(f"other things have the names that these would have: {twice}")
            return named
        case list():
            return [_renamed(part) for part in value]
        case str() if value.startswith("#/components/schemas/") or re.fullmatch(r"(Page\[)?\w+Json\]?", value):
            return _short(value)
        case _:
            return value


def _short(name: str) -> str:
    name = re.sub(r"Page(?:_|\[)(\w+?)Json(?:_|\])", r"PageOf\1", name)
    return re.sub(r"(\w)Json$", r"\1", name)
