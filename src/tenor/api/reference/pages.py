"""The pages: an overview of everything, and one page for each resource."""

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

from tenor.api.reference.fields import Field, Schema, fields, resolved

OVERVIEW: Final = ""
_JSON: Final = "application/json"


def pages(document: Schema) -> dict[str, str]:
    """Return every page as HTML by the last part of its path; that of the overview is empty."""
    by_tag: dict[str, list[tuple[str, str, Schema]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag[operation["tags"][0]].append((method.upper(), path, operation))
    words = {tag["name"]: tag["description"] for tag in document["tags"]}
    made = {OVERVIEW: _page(document, "Reference", _overview(document, by_tag, words), current=OVERVIEW)}
    for tag, operations in by_tag.items():
        listed = "".join(f'<li><a href="#{_anchor(one)}">{_text(one["summary"])}</a></li>' for _, _, one in operations)
        body = f"<h1>{_text(tag)}</h1><p class=lead>{_text(words[tag])}</p><ul class=contents>{listed}</ul>"
        body += "".join(_operation(document, *one) for one in operations)
        made[slug(tag)] = _page(document, tag, body, current=slug(tag))
    return made


def slug(tag: str) -> str:
    """Return the last part of the path of a resource's page."""
    return tag.lower().replace(" ", "-")


def _page(document: Schema, title: str, body: str, *, current: str) -> str:
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        '<meta name=color-scheme content="light dark">'
        f"<title>{_text(title)} · Tenor API</title><link rel=icon href=data:,>"
        "<link rel=stylesheet href=/docs/style.css></head><body>"
        '<a class=skip href="#content">To the content</a>'
        f"<header><a href=/docs class=home>Tenor API</a> <span>{_text(document['info']['version'])}</span>"
        "<a href=/openapi.json>openapi.json</a></header>"
        f'<div class=columns><nav aria-label="Resources">{_navigation(document, current)}</nav>'
        f"<main id=content>{body}</main></div></body></html>"
    )


def _navigation(document: Schema, current: str) -> str:
    groups = []
    for group in document["x-tagGroups"]:
        links = "".join(
            f"<li><a href=/docs/{slug(tag)}{' aria-current=page' if slug(tag) == current else ''}>{_text(tag)}</a></li>"
            for tag in group["tags"]
        )
        groups.append(f"<h2>{_text(group['name'])}</h2><ul>{links}</ul>")
    return "".join(groups)


def _overview(document: Schema, by_tag: Mapping[str, list[tuple[str, str, Schema]]], words: Mapping[str, str]) -> str:
    parts = [f"<h1>{_text(document['info']['summary'])}</h1><p class=lead>{_text(document['info']['description'])}</p>"]
    for group in document["x-tagGroups"]:
        parts.append(f"<h2>{_text(group['name'])}</h2>")
        for tag in group["tags"]:
            rows = "".join(_row(slug(tag), *one) for one in by_tag[tag])
            parts.append(
                f"<h3><a href=/docs/{slug(tag)}>{_text(tag)}</a></h3><p>{_text(words[tag])}</p>{_table('calls', rows)}"
            )
    problem = resolved(document, {"$ref": "#/components/schemas/Problem"})
    parts.append(f"<h2 id=errors>Errors</h2><p>{_text(problem['description'])}</p>{_rows(fields(document, problem))}")
    return "".join(parts)


def _row(page: str, method: str, path: str, operation: Schema) -> str:
    link = f'<a href="/docs/{page}#{_anchor(operation)}"><code>{_path(path)}</code></a>'
    return f"<tr><td>{_method(method)}</td><td>{link}</td><td>{_text(operation['summary'])}</td></tr>"


def _operation(document: Schema, method: str, path: str, operation: Schema) -> str:
    scopes = [scope for one in operation.get("security", ()) for wanted in one.values() for scope in wanted]
    words = operation["description"].removeprefix(operation["summary"]).lstrip(".:; ")
    parts = [
        f"<section id={_anchor(operation)}><h2>{_text(operation['summary'])}</h2>",
        f"<p class=call>{_method(method)} <code>{_path(path)}</code></p>",
        *(f"<p>{_text(part[0].upper() + part[1:])}</p>" for part in words.split("\n\n") if part.strip()),
        f"<p class=needs>Needs {', '.join(f'<code>{escape(scope)}</code>' for scope in scopes)}</p>" if scopes else "",
    ]
    asked = [
        Field(one["name"], f"in the {one['in']}", one.get("required", False), one.get("description", ""))
        for one in operation.get("parameters", ())
        if one["name"] not in {"Idempotency-Key", "Tenor-Version"}
    ]
    if asked:
        parts.append(f"<h3>Parameters</h3>{_rows(asked)}")
    if "requestBody" in operation:
        parts.append(_body(document, path, operation))
    answer: Schema = next((media for status, media in operation["responses"].items() if status.startswith("2")), {})
    held = resolved(document, answer.get("content", {}).get(_JSON, {}).get("schema", {}))
    if "properties" in held:
        shown = _rows(fields(document, held), is_answer=True)
        parts.append(
            f"<details><summary>Answer: {_text(held.get('description', 'an object'))}</summary>{shown}</details>"
        )
    return "".join(parts) + "</section>"


def _body(document: Schema, path: str, operation: Schema) -> str:
    media = operation["requestBody"]["content"][_JSON]
    held = resolved(document, media["schema"])
    parts = ["<h3>Body</h3>"]
    for form in held.get("oneOf", ()):
        one = resolved(document, form)
        title = f"<code>{escape(str(one['properties']['kind'].get('const', '')))}</code> {_text(one['description'])}"
        parts.append(f"<details><summary>{title}</summary>{_rows(fields(document, one))}</details>")
    if "properties" in held:
        parts.append(_rows(fields(document, held)))
    parts.extend(_example(path, operation, one) for one in media.get("examples", {}).values())
    return "".join(parts)


def _example(path: str, operation: Schema, example: Schema) -> str:
    calls = _curl(path, operation, example["value"]), _python(path, operation, example["value"])
    shown = "".join(f"<pre><code>{escape(call, quote=False)}</code></pre>" for call in calls)
    return f"<h4>{_text(example['summary'])}</h4>{shown}"


def _curl(path: str, operation: Schema, body: object) -> str:
    is_kept = any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ()))
    key = ' -H "Idempotency-Key: $(uuidgen)"' if is_kept else ""
    said = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
    url = re.sub(r"{(\w+)}", lambda one: f"${one[1].upper()}", path)
    return f'curl "$TENOR_URL{url}" -H "Authorization: Bearer $TENOR_KEY"{key} \\\n  --json \'{said}\''


def _python(path: str, operation: Schema, body: Any) -> str:
    resource = slug(operation["tags"][0]).replace("-", "_")
    name = operation["operationId"].removeprefix(f"{resource}_")
    places = re.findall(r"{(\w+)}", path)
    is_named = isinstance(body, dict) and name != "send"
    given = [f"{one}={value!r}" for one, value in body.items()] if is_named else [repr(body)]
    return f"tenor.{resource}.{name}({', '.join([*places, *given])})"


def _rows(found: Iterable[Field], *, is_answer: bool = False) -> str:
    """Return a table of fields. Of what a caller says, what is required comes first, and null only means nothing."""
    rows = []
    for one in found if is_answer else sorted(found, key=lambda one: ("." in one.name, not one.is_required)):
        kind, needed = one.kind, ""
        if not is_answer:
            kind = kind.removesuffix(" or null")
            needed = " <strong>required</strong>" if one.is_required else ""
        name = f"<code>{escape(one.name)}</code>"
        rows.append(f"<tr><td>{name}</td><td>{_text(kind)}{needed}</td><td>{_text(one.words)}</td></tr>")
    return _table("fields", "".join(rows)) if rows else "<p>Nothing.</p>"


def _table(kind: str, rows: str) -> str:
    return f"<table class={kind}>{rows}</table>"


def _method(method: str) -> str:
    return f"<span class={method.lower()}>{method}</span>"


def _path(path: str) -> str:
    """Return a path that may break at its slashes, where a screen is narrow."""
    return escape(path).replace("/", "/<wbr>")


def _anchor(operation: Schema) -> str:
    return escape(operation["operationId"])


def _text(words: str) -> str:
    """Return words as HTML, with what stands in backquotes as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(" ".join(words.split()), quote=False))
