"""Write the client's operations and forms from the OpenAPI document; with --check, fail when they are not that.

The document is the contract, so that a route that is added, or a field that is, stands in the client after `make docs`.
What the client does with a call is written by hand: `src/tenor/client/connection.py` and `resource.py`.
"""

import json
import keyword
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final, NamedTuple

from tenor.api import openapi_document

CLIENT: Final = Path(__file__).parent.parent / "src" / "tenor" / "client"
NOTICE: Final = "Written by `make docs` from the OpenAPI document. Do not edit."
_WORDS_WIDTH: Final = 106
_REFERENCE: Final = "#/components/schemas/"
_PLAIN: Final = {"string": "str", "integer": "int", "boolean": "bool", "null": "None"}

_DIGITS: Final = "[0-9]{1,15}"
"""By this the pattern of a decimal is known. Only what a caller says has one: answers are plain texts."""

Schema = Mapping[str, Any]


class Operation(NamedTuple):
    """One operation of the document. `answer` and `body` are schemas; None where there is none."""

    tag: str
    name: str
    method: str
    path: str
    words: str
    parameters: list[Schema]
    body: Schema | None
    answer: Schema

    @property
    def resource(self) -> str:
        """The attribute of the client under which the operation is found."""
        return _identifier(self.tag)


def forms(document: Schema) -> str:
    """Return the module of all bodies and answers, each after those that it is made of."""
    schemas = document["components"]["schemas"]
    made_of: dict[str, set[str]] = {}
    waiting = _names_in([_told_and_heard(document, operation) for operation in operations(document)])
    while waiting:
        name = waiting.pop()
        made_of[name] = _names_in(schemas[name])
        waiting |= made_of[name] - made_of.keys()
    ordered = TopologicalSorter({name: sorted(made_of[name]) for name in sorted(made_of)}).static_order()
    parts = [
        f'"""Bodies and answers of the API as types. {NOTICE}"""',
        "from collections.abc import Mapping\nfrom typing import Any, Literal, NotRequired, TypedDict",
        "from tenor.client.written import Instant, Number",
        *(_definition(name, schemas[name]) for name in ordered),
    ]
    return _formatted("\n\n".join(parts))


def _told_and_heard(document: Schema, operation: Operation) -> list[Any]:
    """Return every schema of an operation."""
    heard = _listed(document, operation) or operation.answer
    return [operation.body or {}, heard, [one["schema"] for one in operation.parameters]]


def calls(document: Schema) -> str:
    """Return the module of all operations, by resource."""
    by_resource: dict[str, list[Operation]] = {}
    for operation in operations(document):
        by_resource.setdefault(operation.resource, []).append(operation)
    parts = [
        f'"""Every operation of the API as a method. {NOTICE}"""',
        "from collections.abc import Mapping, Sequence\nfrom typing import Any, Final, Literal, Unpack, cast, overload",
        "from tenor.client import forms",
        "from tenor.client.connection import Connection",
        "from tenor.client.resource import Feed, Pages, Resource, in_path",
        "from tenor.client.written import Instant, Number",
        f'API_VERSION: Final = "{document["info"]["version"]}"\n"""The dated version of the API that this is for."""',
    ]
    for resource, own in sorted(by_resource.items()):
        if len({operation.name for operation in own}) < len(own):
            raise SystemExit(f"two operations of {resource} have one name")
        methods = "\n\n".join(textwrap.indent(_method(document, operation), "    ") for operation in own)
        parts.append(f'class {_class(resource)}(Resource):\n    """{own[0].tag}."""\n\n{methods}')
    given = "\n".join(f"        self.{resource} = {_class(resource)}(connection)" for resource in sorted(by_resource))
    parts.append(
        'class Operations:\n    """All operations, by resource."""\n\n'
        f"    def __init__(self, connection: Connection) -> None:\n{given}"
    )
    return _formatted("\n\n".join(parts))


MODULES: Final[Mapping[str, Callable[[Schema], str]]] = {"forms.py": forms, "operations.py": calls}


def operations(document: Schema) -> Iterator[Operation]:
    """Return every operation of a document."""
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            content = told.get("requestBody", {}).get("content", {})
            (success,) = (answer for status, answer in told["responses"].items() if status.startswith("2"))
            yield Operation(
                tag=told["tags"][0],
                name=_identifier(told["operationId"].removeprefix(f"{_identifier(told['tags'][0])}_")),
                method=method,
                path=path,
                words=told["description"],
                parameters=told.get("parameters", []),
                body=next((media["schema"] for media in content.values()), None),
                answer=next((media["schema"] for media in success.get("content", {}).values()), {"type": "null"}),
            )


def _method(document: Schema, operation: Operation) -> str:
    """Return one operation as a method: what the path names by position, all else by name."""
    by_place = {
        place: [one for one in operation.parameters if one["in"] == place] for place in ("path", "query", "header")
    }
    positional = [f"{_identifier(one['name'])}: str" for one in by_place["path"]]
    body, spread, kinds = "{}", "", []
    if operation.body is not None:
        body = "body"
        kinds = [f"**body: Unpack[{_type(one, 'forms.')}]" for one in operation.body.get("oneOf", ())]
        if kinds:
            spread = "**body: Any"
        elif _is_record(document, operation.body):
            spread = f"**body: Unpack[{_type(operation.body, 'forms.')}]"
        else:
            positional.append(f"body: {_type(operation.body, 'forms.')}")
    named = [_argument(one) for one in sorted(by_place["query"], key=lambda one: not one.get("required", False))]
    is_kept = any(one["name"] == "Idempotency-Key" for one in by_place["header"])
    if is_kept:
        named.append("idempotency_key: str | None = None")
    signature = ["self", *positional, *(["/"] if positional else []), *(["*", *named] if named else [])]
    names = [one["name"] for one in by_place["query"]]
    query = "{" + ", ".join(f'"{name}": {_identifier(name)}' for name in names) + "}"
    segments = operation.path.split("/")
    steps = "/".join(f"{{in_path({_identifier(one[1:-1])})}}" if one.startswith("{") else one for one in segments)
    path = f'f"{steps}"' if by_place["path"] else f'"{steps}"'

    listed = _listed(document, operation)
    answer = _type(listed or operation.answer, "forms.")
    if listed is not None:
        pages = "Feed" if operation.answer["$ref"].endswith("/Feed") else "Pages"
        returned, result = f"{pages}[{answer}]", f"{pages}(self._connection, {path}, {query})"
    elif operation.method == "get":
        returned, result = answer, f'cast("{answer}", self._connection.get({path}{f", {query}" if names else ""}))'
    else:
        key = "idempotency_key" if is_kept else "None"
        asked = f"{path}, {body}{f', {query}' if names else ''}, idempotency_key={key}"
        returned, result = answer, f'cast("{answer}", self._connection.post({asked}))'

    def heading(spread: str) -> str:
        return f"def {operation.name}({', '.join([*signature, *([spread] if spread else [])])}) -> {returned}:"

    forms = "".join(f"@overload\n{heading(kind)} ...\n\n" for kind in kinds)
    return f"{forms}{heading(spread)}\n{_docstring(operation.words)}\n    return {result}"


def _argument(parameter: Schema) -> str:
    wanted = _type(parameter["schema"], "forms.").replace("list[", "Sequence[")
    if parameter.get("required", False):
        return f"{_identifier(parameter['name'])}: {wanted}"
    return f"{_identifier(parameter['name'])}: {wanted.removesuffix(' | None')} | None = None"


def _definition(name: str, schema: Schema) -> str:
    """Return one schema as a type."""
    words = schema.get("description", "")
    if "properties" not in schema:
        return f"{name} = {_type(schema)}" + (f'\n"""{words}"""' if words else "")
    needed = schema.get("required", ())
    fields = {
        field: _type(part) if field in needed else f"NotRequired[{_type(part)}]"
        for field, part in schema["properties"].items()
    }
    if any(keyword.iskeyword(field) for field in fields):
        listed = ", ".join(f'"{field}": {kind}' for field, kind in fields.items())
        return f'{name} = TypedDict("{name}", {{{listed}}})'
    lines = [f"class {name}(TypedDict):", _docstring(words or f"{name}.")]
    for field, kind in fields.items():
        lines.append(f"    {field}: {kind}")
        if told := schema["properties"][field].get("description"):
            lines.append(_docstring(told))
    return "\n".join(lines)


def _type(schema: Schema, prefix: str = "") -> str:
    """Return the annotation of a schema; names of forms get the prefix."""
    if "$ref" in schema:
        return prefix + str(schema["$ref"]).removeprefix(_REFERENCE)
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " | ".join(dict.fromkeys(_type(part, prefix) for part in schema[union]))
    if "const" in schema or "enum" in schema:
        return f"Literal[{', '.join(json.dumps(value) for value in schema.get('enum', [schema.get('const')]))}]"
    match schema.get("type"):
        case None:
            return "Any"
        case "string" if schema.get("format") == "date-time":
            return "Instant"
        case "string" if _DIGITS in schema.get("pattern", ""):
            return "Number"
        case "array":
            return f"list[{_type(schema.get('items', {}), prefix)}]"
        case "object":
            parts = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
            held = _type(next((part for part in parts if isinstance(part, Mapping)), {}), prefix)
            return f"{'Mapping' if 'Number' in held else 'dict'}[str, {held}]"  # a caller may have plain texts in hand
        case plain:
            return _PLAIN[plain]


def _is_record(document: Schema, schema: Schema) -> bool:
    """Whether the fields of a body are known, so that they can be named one by one."""
    return "$ref" in schema and "properties" in document["components"]["schemas"][_type(schema)]


def _listed(document: Schema, operation: Operation) -> Schema | None:
    """Return the schema of what a list or the feed lists; None for an operation that answers with one thing."""
    name = operation.answer.get("$ref", "").removeprefix(_REFERENCE)
    if not (name.startswith("PageOf") or name == "Feed"):
        return None
    held: Schema = document["components"]["schemas"][name]["properties"]
    items: Schema = held["events" if name == "Feed" else "data"]["items"]
    return items


def _names_in(value: Any) -> set[str]:
    match value:
        case {"$ref": str(reference)}:
            return {reference.removeprefix(_REFERENCE)}
        case dict():
            return set().union(*map(_names_in, value.values()))
        case list():
            return set().union(*map(_names_in, value))
        case _:
            return set()


def _identifier(words: str) -> str:
    name = words.lower().replace(" ", "_").replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def _class(resource: str) -> str:
    return "".join(part.capitalize() for part in resource.split("_"))


def _docstring(words: str) -> str:
    lines = [
        line
        for paragraph in words.replace("\\", "\\\\").split("\n\n")
        for line in (*textwrap.wrap(" ".join(paragraph.split()), _WORDS_WIDTH), "")
    ][:-1]
    close = '"""' if len(lines) == 1 else '\n"""'
    return textwrap.indent('"""' + "\n".join(lines) + close, "    ")


def _formatted(code: str) -> str:
    for words in (["check", "--fix-only", "--quiet", "--select", "F401,I"], ["format"]):
        ruff = [str(Path(sys.executable).parent / "ruff"), *words, "--stdin-filename", str(CLIENT / "module.py"), "-"]
        code = subprocess.run(ruff, input=code, capture_output=True, text=True, check=True).stdout
    return code


def main(*, is_check: bool) -> int:
    """Write the modules, or compare them with what is there; return how many differ."""
    document = openapi_document()
    stale = 0
    for name, write in MODULES.items():
        path, text = CLIENT / name, write(document)
        if not is_check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale += 1
            sys.stderr.write(f"{path.name} of the client is not what the API gives: make docs\n")
    return stale


if __name__ == "__main__":
    sys.exit(1 if main(is_check="--check" in sys.argv[1:]) else 0)
