"""The catalogue of events, read from the calls that publish them: type, object, members of `data`, and where."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from tenor.events import object_to_wire
from tenor.invoicing.model import DocumentKind
from tenor.subscriptions.model import ChangeKind

SRC: Final = Path(__file__).parent.parent / "src" / "tenor"

COMPOSED: Final = {
    "f'subscription.{kind_of(change.facts)}'": [f"subscription.{kind}" for kind in ChangeKind],
    "f'{draft.kind.value}.finalised'": [f"{kind}.finalised" for kind in DocumentKind],
    "f\"usage_event.{('cancelled' if removal.replacement is None else 'corrected')}\"": [
        "usage_event.cancelled",
        "usage_event.corrected",
    ],
    "f'{holder}.billing_settings_changed'": ["customer.billing_settings_changed", "tenant.billing_settings_changed"],
    "f'{kind}.usage_thresholds_set'": ["customer.usage_thresholds_set", "subscription.usage_thresholds_set"],
}
"""What types that are put together from parts can come to; of others the catalogue shows the parts that are fixed."""
FACES: Final = {"api", "cli", "demo"}
"""They publish nothing themselves, and tell people by functions of the same name."""
TYPE_ARGUMENT: Final = {"Event": 0, "tell": 1}
"""The functions that publish, and which of their arguments is the type; the payload is two further on."""


class Published(NamedTuple):
    """One type of event as one place in the code publishes it. `members` is None where the code does not show them."""

    type: str
    members: tuple[str, ...] | None
    place: str


def published_events() -> list[Published]:
    """Return every event that the code publishes, by type."""
    paths = [path for path in sorted(SRC.rglob("*.py")) if path.relative_to(SRC).parts[0] not in FACES]
    found = {one.type: one for path in paths for one in _published_in(path)}
    return [found[name] for name in sorted(found)]


def catalogue(notice: str) -> str:
    """Return the catalogue as a page."""
    rows = []
    for event in published_events():
        shown = "see the code" if event.members is None else ", ".join(f"`{name}`" for name in event.members)
        wire_id = object_to_wire(event.type.partition(".")[0], UUID(int=0))
        prefix = f"`{wire_id.rpartition('_')[0]}_…`" if "_" in wire_id else "UUID"
        rows.append(f"| `{event.type}` | {prefix} | {shown or '–'} | {event.place} |")
    head = "Every type of event, what `object_id` is, the members of `data`. How to get them: [events](../events.md)."
    return "\n".join(
        ["# Events", "", notice, "", head, "", "| type | object | data | published in |", "|---|---|---|---|", *rows]
    )


def _published_in(path: Path) -> Iterator[Published]:
    place = ".".join(path.relative_to(SRC).with_suffix("").parts)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        assigned = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.JoinedStr) and ast.unparse(node) in COMPOSED and not _is_in_call(function, node):
                payload = assigned.get("payload")
                yield from _events(COMPOSED[ast.unparse(node)], payload, place)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TYPE_ARGUMENT:
                kind, payload = _arguments(node)
                yield from _events(_types(kind, assigned), _followed(payload, assigned), place)


def _is_in_call(function: ast.FunctionDef, text: ast.JoinedStr) -> bool:
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    return any(kind is text for call in calls for kind in (*call.args, *[word.value for word in call.keywords]))


def _arguments(call: ast.Call) -> tuple[ast.expr | None, ast.expr | None]:
    """Return the type and the payload of a call that publishes."""
    words = {word.arg: word.value for word in call.keywords}
    first = TYPE_ARGUMENT[call.func.id] if isinstance(call.func, ast.Name) else 0
    kind = call.args[first] if len(call.args) > first else words.get("type")
    payload = call.args[first + 2] if len(call.args) > first + 2 else words.get("payload")
    return kind, payload


def _types(kind: ast.expr | None, assigned: dict[str, ast.expr]) -> list[str]:
    """Return the types that an expression can come to; none for a parameter, which the callers give."""
    kind = _followed(kind, assigned)
    if isinstance(kind, ast.Constant) and isinstance(kind.value, str) and "." in kind.value:
        return [kind.value]
    if isinstance(kind, ast.IfExp):
        return _types(kind.body, assigned) + _types(kind.orelse, assigned)
    if isinstance(kind, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else "…" for part in kind.values]
        return COMPOSED.get(ast.unparse(kind), ["".join(parts)])
    return []


def _followed(value: ast.expr | None, assigned: dict[str, ast.expr]) -> ast.expr | None:
    return assigned.get(value.id) if isinstance(value, ast.Name) else value


def _events(types: list[str], payload: ast.expr | None, place: str) -> Iterator[Published]:
    keys = payload.keys if isinstance(payload, ast.Dict) else [None]
    names = tuple(key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str))
    members = names if len(names) == len(keys) else None
    yield from [Published(name, members, place) for name in types]
