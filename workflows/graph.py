"""The picture of a playbook's graph."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise

from .playbook import Playbook
from .proof import ways

_WIDE, _HIGH, _ACROSS, _DOWN, _EDGE = 190, 54, 250, 110, 30


def draw(playbook: Playbook, path: Sequence[str] = ()) -> str:
    """The graph as SVG, in layers from where conversations begin; the nodes and ways of ``path`` (in the order in which
    a talk took them) are marked."""
    places = _layout(playbook)
    taken = set(pairwise(path))
    right = max(x for x, _ in places.values()) + _WIDE + _EDGE
    bottom = max(y for _, y in places.values()) + _HIGH + _EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right} {bottom}" width="{right}" height="{bottom}" '
        'font-family="system-ui, sans-serif" font-size="12" role="img">',
        f"<title>{escape(playbook.name)}: the graph of the conversation</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#64748b"/></marker></defs>',
        f'<rect width="{right}" height="{bottom}" fill="#fff"/>',
    ]
    for node, here in playbook.graph.items():
        for way in here.exits:
            if way.to in places:
                parts.append(_arrow(places[node], places[way.to], way.when, (node, way.to) in taken))
    for node, here in playbook.graph.items():
        parts.append(_box(places[node], node, here.objective, here.detour, node in path))
    return "".join([*parts, "</svg>"])


def _layout(book: Playbook) -> dict[str, tuple[int, int]]:
    """Node -> upper left corner: as far down as its longest way from a beginning, detours left out."""
    onward = {node: [to for to in targets if not book.graph[to].detour] for node, targets in ways(book).items()}
    depth = dict.fromkeys(book.graph, 0)
    for _ in book.graph:
        for node, targets in onward.items():
            for to in targets:
                depth[to] = min(max(depth[to], depth[node] + 1), len(book.graph))
    rows: dict[int, list[str]] = {}
    for node in book.graph:
        rows.setdefault(depth[node], []).append(node)
    return {
        node: (_EDGE + column * _ACROSS, _EDGE + row * _DOWN)
        for row, depth_ in enumerate(sorted(rows))
        for column, node in enumerate(rows[depth_])
    }


def _arrow(start: tuple[int, int], end: tuple[int, int], label: str, taken: bool) -> str:
    x1, x2 = start[0] + _WIDE / 2, end[0] + _WIDE / 2
    down = end[1] > start[1]
    if start[1] == end[1]:
        right = end[0] > start[0]
        x1, x2 = (start[0] + _WIDE, end[0]) if right else (start[0], end[0] + _WIDE)
        y1 = y2 = start[1] + _HIGH / 2
    else:
        y1, y2 = (start[1] + _HIGH, end[1]) if down else (start[1], end[1] + _HIGH)
    bend = (y2 - y1) / 2
    colour, width = ("#0f766e", 3) if taken else ("#94a3b8", 1.2)
    line = f"M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"
    # The label stands nearer to the end, where ways to one node are told apart by where they come from.
    at = (x1 + 2 * x2) / 3, (y1 + 2 * y2) / 3
    return (
        f'<path d="{line}" fill="none" stroke="{colour}" stroke-width="{width}" marker-end="url(#tip)"/>'
        f'<text x="{at[0]:.0f}" y="{at[1] - 4:.0f}" text-anchor="middle" fill="#475569" font-size="10" '
        f'paint-order="stroke" stroke="#fff" stroke-width="3">{escape(label)}</text>'
    )


def _box(place: tuple[int, int], name: str, objective: str, detour: bool, taken: bool) -> str:
    x, y = place
    fill, edge = ("#ccfbf1", "#0f766e") if taken else ("#f1f5f9", "#64748b")
    dashes = ' stroke-dasharray="5 4"' if detour else ""
    short = objective if len(objective) <= 31 else objective[:30].rstrip() + "…"
    return (
        f'<g><title>{escape(objective)}</title><rect x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="9" fill="{fill}" '
        f'stroke="{edge}" stroke-width="{2.5 if taken else 1.2}"{dashes}/>'
        f'<text x="{x + _WIDE / 2:g}" y="{y + 23}" text-anchor="middle" font-weight="600" fill="#0f172a">'
        f"{escape(name.replace('_', ' '))}</text>"
        f'<text x="{x + _WIDE / 2:g}" y="{y + 40}" text-anchor="middle" fill="#475569" font-size="10">{escape(short)}</text></g>'
    )
