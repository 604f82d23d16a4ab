"""The picture of a playbook's graph, and of the way that a lead's talks took through it, as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import pairwise

from .layout import EDGE, Box, Layout, Point, Way, layout, route
from .playbook import Node, Playbook
from .proof import ENTRIES, PERSON

_INK, _SOFT, _LINE, _PAPER = "#0f172a", "#475569", "#94a3b8", "#ffffff"
_TAKEN = "#0f766e"
_PLAIN, _DETOUR, _HUMAN, _PASSED = (
    ("#f8fafc", "#64748b"), ("#f5f3ff", "#7c3aed"), ("#fff7ed", "#c2410c"), ("#ccfbf1", _TAKEN),
)  # fmt: skip
"""Fill and edge of a box: any node, a detour, where a person takes over, one that a talk went through."""


def draw(playbook: Playbook, *talks: Sequence[str], title: str = "") -> str:
    """The graph as SVG. ``talks`` are the nodes that a lead's talks went through, each in order: their ways are marked,
    those of one talk with their place in it, those of several with how often they were taken. Nodes that the playbook
    no longer has are passed over."""
    laid = layout(playbook)
    known = [[node for node in talk if node in laid.boxes] for talk in talks]
    passed = {node for talk in known for node in talk}
    title = title or f"{playbook.name}: how a conversation may go"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {laid.wide:g} {laid.high:g}" width="{laid.wide:g}" '
        f'height="{laid.high:g}" font-family="system-ui, -apple-system, Segoe UI, sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f"<defs>{_tip('tip', _LINE)}{_tip('taken', _TAKEN)}</defs>",
        f'<rect width="{laid.wide:g}" height="{laid.high:g}" fill="{_PAPER}"/>',
        _text((EDGE, 38), title, size=17, weight=600),
        _text((EDGE, 58), f"audience {playbook.audience}, version {playbook.version}, {playbook.hash}", colour=_SOFT),
        *(_line(way, "tip", _LINE, 1.3) for way in laid.ways.values()),
        *(_dot(point) for point in laid.joined()),
        *_marked(laid, known),
        *(_label(way) for way in laid.ways.values()),
        *(_box(laid.boxes[node], node, here, node in passed) for node, here in playbook.graph.items()),
        *_badges(laid, known),
        *_legend(laid, bool(passed)),
        "</svg>",
    ]
    return "".join(parts)


def _tip(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" fill="{colour}"/></marker>'
    )


def _text(at: Point, words: str, anchor: str = "start", colour: str = _INK, size: float = 12, weight: int = 400) -> str:
    return (
        f'<text x="{at[0]:g}" y="{at[1]:g}" text-anchor="{anchor}" fill="{colour}" font-size="{size:g}" '
        f'font-weight="{weight}" paint-order="stroke" stroke="{_PAPER}" stroke-width="3">{escape(words)}</text>'
    )


def _plain(at: Point, words: str, anchor: str, colour: str, size: float = 12, weight: int = 400) -> str:
    """Text on something coloured: without the halo that keeps labels clear of lines."""
    return (
        f'<text x="{at[0]:g}" y="{at[1]:g}" text-anchor="{anchor}" fill="{colour}" font-size="{size:g}" '
        f'font-weight="{weight}">{escape(words)}</text>'
    )


# ---- ways -------------------------------------------------------------------------------------------------------


def _line(way: Way, tip: str, colour: str, width: float) -> str:
    path = "M" + "L".join(f"{x:g} {y:g}" for x, y in way.points)
    back = f' marker-start="url(#{tip})"' if way.returns else ""
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-linejoin="round" '
        f'marker-end="url(#{tip})"{back}/>'
    )


def _label(way: Way) -> str:
    return _text(way.at, way.label, way.anchor, _SOFT, 11)


def _dot(point: Point) -> str:
    return f'<circle cx="{point[0]:g}" cy="{point[1]:g}" r="2.6" fill="{_LINE}"/>'


def _steps(talks: Iterable[Sequence[str]]) -> dict[tuple[str, str], list[int]]:
    """The ways that were taken, each with its place in its talk."""
    taken: dict[tuple[str, str], list[int]] = {}
    for talk in talks:
        for index, pair in enumerate(pairwise(talk), 1):
            taken.setdefault(pair, []).append(index)
    return taken


def _marked(laid: Layout, talks: Sequence[Sequence[str]]) -> list[str]:
    return [_line(route(laid, *pair), "taken", _TAKEN, 3) for pair in _steps(talks)]


def _badges(laid: Layout, talks: Sequence[Sequence[str]]) -> list[str]:
    """On each way that was taken: its place in the talk, or of several talks how often. There and back share one."""
    told: dict[Point, list[tuple[int, str]]] = {}
    for pair, steps in _steps(talks).items():
        way = route(laid, *pair)
        back = pair not in laid.ways and laid.ways.get((pair[1], pair[0]), way).returns
        words = [(steps[0], f"{len(steps)}×")] if len(talks) > 1 else [(step, str(step)) for step in steps]
        told.setdefault(_badge_place(way), []).extend((step, word + "↩" * back) for step, word in words)
    return [_badge(at, " ".join(word for _, word in sorted(words))) for at, words in told.items()]


def _badge_place(way: Way) -> Point:
    """Near the label, where nothing else stands: left of a line that runs down, under one to the left, and beyond the
    words of one to the right."""
    (x, y), (start, after) = way.at, way.points[:2]
    if start[0] == after[0]:
        return start[0] - 16, y - 12
    return (x + 6.3 * len(way.label) + 22, y - 12) if way.anchor == "start" else (x - 20, y + 9)


def _badge(at: Point, words: str) -> str:
    wide = 10 + 7 * len(words)
    return (
        f'<rect x="{at[0] - wide / 2:g}" y="{at[1] - 1:g}" width="{wide}" height="16" rx="8" fill="{_TAKEN}"/>'
        + _plain((at[0], at[1] + 11), words, "middle", _PAPER, 10.5, 600)
    )


# ---- nodes ------------------------------------------------------------------------------------------------------


def _box(box: Box, name: str, here: Node, passed: bool) -> str:
    fill, edge = _PASSED if passed else _HUMAN if name == PERSON else _DETOUR if here.detour else _PLAIN
    dashes = ' stroke-dasharray="6 4"' if here.detour else ""
    parts = [
        f'<g id="node-{escape(name)}"><title>{escape(here.prompt)}</title>'
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.wide:g}" height="{box.high:g}" rx="10" fill="{fill}" '
        f'stroke="{edge}" stroke-width="{2.4 if passed else 1.4}"{dashes}/>',
        _plain((box.x + 14, box.y + 24), name.replace("_", " "), "start", _INK, 14, 600),
    ]
    for index, line in enumerate(box.lines):
        parts.append(_plain((box.x + 14, box.y + 43 + 15 * index), line, "start", _SOFT, 11.5))
    limit = f"after {here.max_turns} turns: {here.escalation.replace('_', ' ')}"
    limit = "a person takes over" if name == PERSON else limit
    parts.append(_plain((box.x + 14, box.bottom - 11), limit, "start", edge, 11, 600))
    if name in ENTRIES:
        parts.append(_entry(box, ENTRIES[name]))
    return "".join([*parts, "</g>"])


def _entry(box: Box, words: str) -> str:
    """Where a talk may begin, and with whom, beside the name."""
    wide = 30 + 6.4 * len(words)
    x = box.right - wide - 10
    return f'<rect x="{x:g}" y="{box.y + 9:g}" width="{wide:g}" height="20" rx="10" fill="{_INK}"/>' + _plain(
        (x + wide / 2, box.y + 23), f"▸ {words}", "middle", _PAPER, 10.5, 600
    )


def _legend(laid: Layout, taken: bool) -> list[str]:
    """What the kinds of box and line mean, on the last line."""
    y = laid.high - 18
    kinds = [(_DETOUR, "a detour, which returns"), (_HUMAN, "a person takes over")]
    if taken:
        kinds.append((_PASSED, "the way that was taken"))
    parts, x = [], float(EDGE)
    for (fill, edge), words in kinds:
        parts.append(f'<rect x="{x:g}" y="{y - 10:g}" width="18" height="12" rx="3" fill="{fill}" stroke="{edge}"/>')
        parts.append(_text((x + 26, y), words, colour=_SOFT))
        x += 50 + 6.2 * len(words)
    return parts
