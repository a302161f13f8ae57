"""docs/api.md names what there is; its first steps are those of docs/quickstart.md, which are executed."""

from pathlib import Path

from tenor.api import openapi_document

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_page_names_every_kind_of_change() -> None:
    schema = openapi_document()["paths"]["/v1/subscriptions/{subscription}/changes"]["post"]["requestBody"]
    kinds = schema["content"]["application/json"]["schema"]["discriminator"]["mapping"]
    assert [kind for kind in kinds if f"`{kind}`" not in PAGE] == []
