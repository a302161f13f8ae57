"""The reference shows every operation, leads nowhere wrong, and holds nothing that a browser would run or fetch."""

import re
from typing import Final

from tenor.api import openapi_document
from tenor.api.reference.fields import Field, fields
from tenor.api.reference.pages import OVERVIEW, pages

DOCUMENT: Final = openapi_document()
PAGES: Final = pages(DOCUMENT)


def test_every_operation_is_shown_once_and_listed_in_the_overview() -> None:
    operations = [one["operationId"] for methods in DOCUMENT["paths"].values() for one in methods.values()]
    shown = re.findall("<section id=([a-z_]+)>", "".join(PAGES.values()))
    listed = re.findall('href="/docs/[a-z-]+#([a-z_]+)"', PAGES[OVERVIEW])
    assert sorted(shown) == sorted(operations) == sorted(listed)


def test_every_link_leads_to_a_page_and_a_place_that_there_is() -> None:
    for name, page in PAGES.items():
        for link in re.findall(r"href=\"?([^\s\">]+)", page):
            path, _, place = link.partition("#")
            target = path.removeprefix("/docs").strip("/") if path else name
            if path in {"/openapi.json", "/docs/style.css", "data:,"}:
                continue
            assert target in PAGES, link
            assert not place or re.search(f"id={place}[ >]", PAGES[target]), link


def test_a_page_holds_nothing_that_runs_and_nothing_from_elsewhere() -> None:
    for page in PAGES.values():
        assert not re.search(r"<script|<style|<iframe|<img|<object|\son\w+=|\sstyle=|javascript:|srcset|@import", page)
        assert not re.search(r"(href|src|action)=\"?(https?:)?//", page)


def test_the_words_of_the_document_are_text_and_never_markup() -> None:
    document = DOCUMENT | {"info": DOCUMENT["info"] | {"description": "<b>`a<b`</b> & more"}}
    assert "&lt;b&gt;<code>a&lt;b</code>&lt;/b&gt; &amp; more" in pages(document)[OVERVIEW]


def test_an_example_is_shown_as_a_call_of_curl_and_of_the_client() -> None:
    page = PAGES["subscriptions"]
    assert (
        'curl "$TENOR_URL/v1/subscriptions/$SUBSCRIPTION/changes" -H "Authorization: Bearer $TENOR_KEY" '
        '-H "Idempotency-Key: $(uuidgen)" \\\n  --json \'{"kind": "cancel", "effective": "period_end"}\''
    ) in page
    assert "tenor.subscriptions.change(subscription, kind='cancel', effective='period_end')" in page
    assert "tenor.usage.send([{'event_id': 'c-1'," in PAGES["usage"]


def test_fields_of_what_is_held_are_named_by_what_holds_them() -> None:
    document = {
        "components": {
            "schemas": {
                "Line": {
                    "type": "object",
                    "properties": {
                        "amount": {"type": "string", "pattern": "^[0-9]{1,15}$", "description": "How much."},
                        "kind": {"enum": ["a", "b"]},
                    },
                    "required": ["amount"],
                }
            }
        }
    }
    schema = {
        "properties": {
            "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
            "at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
            "notes": {"type": "object", "additionalProperties": {"type": "string"}, "default": {}},
            "days": {"type": "integer", "default": 0},
        }
    }
    assert fields(document, schema) == [
        Field("lines", "list of object", False, ""),
        Field("lines[].amount", "decimal as text", True, "How much."),
        Field("lines[].kind", '"a" | "b"', False, ""),
        Field("at", "instant or null", False, ""),
        Field("notes", "text by name", False, ""),
        Field("days", "whole number", False, "By default `0`."),
    ]
