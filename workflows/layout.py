"""Where the nodes and ways of a playbook's graph stand in its picture, in pixels from the upper left.

The way from the first call to the booked meeting runs down the middle; what else a talk may begin with stands indented
beside it. A node to which many lead (a concern, a later moment, a person) stands at the side: the ways to it join a
line of its own, so that no two labels meet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import wrap

from .playbook import Playbook
from .proof import ways

Point = tuple[float, float]

EDGE, TOP = 36, 96
WIDE, SIDE, INDENT = 340, 220, 150
"""Widths of a box in the middle and at the side, and how far right an indented box stands."""
GAP = 50
"""Between two rows."""
_LABELS = 150
"""Room for the labels between the boxes in the middle and the lines at the side."""
_APART = 26
"""Between two lines."""
_MANY = 4
"""Nodes that lead to one which then stands at the side."""
_LINE = 15
"""Height of a line of text in a box."""
_LETTER = 6.9
"""Width of a letter of it, in a wide font."""
_SAYS = {
    "asks_person": "asks for a person",
    "concern": "has a concern",
    "later": "wants it later",
    "moving": "wants to move it",
    "refused": "says no",
}
"""Conditions in words, where their own name is none."""


@dataclass(frozen=True)
class Box:
    """One node: its corner, its size, and the lines of text in it."""

    x: float
    y: float
    wide: float
    high: float
    lines: tuple[str, ...] = ()

    @property
    def right(self) -> float:
        return self.x + self.wide

    @property
    def bottom(self) -> float:
        return self.y + self.high

    @property
    def middle(self) -> float:
        return self.y + self.high / 2


@dataclass(frozen=True)
class Way:
    """One line from node to node, drawn through ``points``; ``label`` stands at ``at``, anchored there as SVG says."""

    points: tuple[Point, ...]
    label: str = ""
    at: Point = (0, 0)
    anchor: str = "start"
    returns: bool = False
    """A detour: it comes back the same way."""
    joins: bool = False
    """It joins the line of a node at the side, at its last corner but one."""


@dataclass
class Layout:
    boxes: dict[str, Box] = field(default_factory=dict)
    ways: dict[tuple[str, str], Way] = field(default_factory=dict)
    wide: float = 0
    high: float = 0

    def joined(self) -> list[Point]:
        """Where a way joins the line of a node at the side."""
        return [way.points[-3] for way in self.ways.values() if way.joins]


def layout(book: Playbook) -> Layout:
    """Every node and every way of ``book``'s graph in its place. Also for a graph that is not proven."""
    return _Planner(book).plan()


def route(laid: Layout, start: str, end: str) -> Way:
    """The line from ``start`` to ``end``: the way drawn, back along a detour, or a bow where there is no way."""
    if way := laid.ways.get((start, end)):
        return way
    back = laid.ways.get((end, start))
    if back is not None and back.returns:
        return Way(tuple(reversed(back.points)), back.label, back.at, back.anchor)
    one, other = laid.boxes[start], laid.boxes[end]
    out = max(one.right, other.right) + 24
    return Way(
        points=((one.right, one.middle), (out, one.middle), (out, other.middle), (other.right, other.middle)),
        at=(out + 6, (one.middle + other.middle) / 2),
    )


class _Planner:
    def __init__(self, book: Playbook) -> None:
        self.book = book
        self.onward = ways(book)
        self.into = {node: [n for n, targets in self.onward.items() if node in targets] for node in book.graph}
        self.aside = [node for node in book.graph if len(self.into[node]) >= _MANY]
        self.main = self._longest()
        self.rows = self._rows()
        self.left = [node for node in self.aside if book.graph[node].detour]
        self.right = [node for node in self.aside if node not in self.left]
        self.spine = EDGE + (SIDE + _APART * len(self.left) + 128 if self.left else 0)
        self.bus: dict[str, float] = {}
        self.laid = Layout()

    def plan(self) -> Layout:
        self._place_middle()
        self._place_sides()
        channel = max((box.bottom for box in self.laid.boxes.values()), default=TOP) + GAP
        for node, here in self.book.graph.items():
            labels: dict[str, list[str]] = {}
            for way in here.exits:
                if way.to in self.laid.boxes and way.to != node:
                    labels.setdefault(way.to, []).append(_SAYS.get(way.when, way.when.replace("_", " ")))
            for to, conditions in labels.items():
                label = ", ".join(dict.fromkeys(conditions))
                if node in self.left and to in self.right:
                    self.laid.ways[node, to] = self._below(node, to, label, channel)
                    channel += _APART
                else:
                    self.laid.ways[node, to] = self._way(node, to, label)
        self.laid.wide = max((box.right for box in self.laid.boxes.values()), default=WIDE) + EDGE
        self.laid.high = channel + EDGE
        return self.laid

    # ---- which stands where ---------------------------------------------------------------------------------------

    def _longest(self) -> list[str]:
        """The longest way on from the first node, by nodes that stand in the middle."""
        middle = {
            n: [t for t in to if t not in self.aside and not self.book.graph[t].detour] for n, to in self.onward.items()
        }
        best: dict[str, list[str]] = {}

        def from_(node: str, passed: tuple[str, ...]) -> list[str]:
            if node not in best:
                tails = [from_(to, (*passed, node)) for to in middle[node] if to not in (*passed, node)]
                best[node] = [node, *max(tails, key=len, default=[])]
            return best[node]

        first = next((node for node in self.book.graph if node not in self.aside), "")
        return from_(first, ()) if first else []

    def _rows(self) -> list[str]:
        """The nodes in the middle from top to bottom: each beside the main way stands next to where it leads."""
        order = list(self.main)
        for node in self.book.graph:
            if node in order or node in self.aside:
                continue
            sources = [order.index(n) for n in self.into[node] if n in order]
            targets = [order.index(n) for n in self.onward[node] if n in order]
            order.insert(max(sources) + 1 if sources else min(targets, default=len(order)), node)
        return order

    def _place_middle(self) -> None:
        y: float = TOP
        for node in self.rows:
            x = self.spine + (0 if node in self.main else INDENT)
            self.laid.boxes[node] = box = self._box(node, x, y, WIDE)
            y = box.bottom + GAP

    def _place_sides(self) -> None:
        placed = list(self.laid.boxes.values())
        top, bottom = TOP, max((box.bottom for box in placed), default=TOP)
        edge = max((box.right for box in placed), default=self.spine)
        for index, node in enumerate(self.left):
            self.bus[node] = self.spine - 104 - _APART * index
            self._beside(node, EDGE, index, len(self.left), top, bottom)
        for index, node in enumerate(self.right):
            self.bus[node] = edge + _LABELS + _APART * index
            self._beside(node, edge + _LABELS + _APART * (len(self.right) + 1), index, len(self.right), top, bottom)

    def _beside(self, node: str, x: float, index: int, of: int, top: float, bottom: float) -> None:
        box = self._box(node, x, 0, SIDE)
        middle = top + (bottom - top) * (index + 0.5) / of
        self.laid.boxes[node] = Box(x, middle - box.high / 2, SIDE, box.high, box.lines)

    def _box(self, node: str, x: float, y: float, wide: float) -> Box:
        here = self.book.graph[node]
        lines = wrap(here.objective, int((wide - 28) / _LETTER))[:4]
        if here.required:
            lines += wrap(f"asks for {', '.join(here.required)}".replace("_", " "), int((wide - 28) / _LETTER))[:2]
        return Box(x, y, wide, 46 + _LINE * (len(lines) + 1), tuple(lines))

    # ---- which way ------------------------------------------------------------------------------------------------

    def _way(self, node: str, to: str, label: str) -> Way:
        boxes, one, other = self.laid.boxes, self.laid.boxes[node], self.laid.boxes[to]
        returns = self.book.graph[to].detour
        if to in self.left and node in self.rows:
            line, y = self.bus[to], one.y + one.high * (self.left.index(to) + 1) / (len(self.left) + 1)
            points = ((one.x, y), (line, y), (line, other.middle), (other.right, other.middle))
            return Way(points, label, (one.x - 8, y - 5), "end", returns, joins=True)
        if to in self.right and node in self.rows:
            line, y = self.bus[to], one.y + one.high * (self.right.index(to) + 1) / (len(self.right) + 1)
            points = ((one.right, y), (line, y), (line, other.middle), (other.x, other.middle))
            return Way(points, label, (one.right + 8, y - 5), "start", returns, joins=True)
        if node in self.right and to in self.right:
            x = one.x + SIDE / 2
            ends = (one.bottom, other.y) if one.y < other.y else (one.y, other.bottom)
            return Way(((x, ends[0]), (x, ends[1])), label, (x + 8, (ends[0] + ends[1]) / 2 + 4), "start", returns)
        if node in self.rows and to in self.rows and self._clear(node, to):
            down = one.y < other.y
            left, right = max(one.x, other.x), min(one.right, other.right)
            x = one.x + 40 if one.x == other.x else left + (right - left) * (0.1 if down else 0.76)
            ends = (one.bottom, other.y) if down else (one.y, other.bottom)
            return Way(((x, ends[0]), (x, ends[1])), label, (x + 8, ends[1] + (-14 if down else 24)), "start", returns)
        return Way(route(Layout(boxes), node, to).points, label, (one.right + 8, one.middle - 5), "start", returns)

    def _clear(self, node: str, to: str) -> bool:
        """Whether a straight line between the two rows passes no box: only indented ones stand beside the main way."""
        low, high = sorted((self.rows.index(node), self.rows.index(to)))
        between = self.rows[low + 1 : high]
        return not between or (node in self.main and to in self.main and not set(between) & set(self.main))

    def _below(self, node: str, to: str, label: str, y: float) -> Way:
        """From the left side to the right side, under everything."""
        one, other, line = self.laid.boxes[node], self.laid.boxes[to], self.bus[to]
        x = one.x + 40 + 44 * self.right.index(to)
        points = ((x, one.bottom), (x, y), (line, y), (line, other.middle), (other.x, other.middle))
        return Way(points, label, (x + 8, y - 5), "start", joins=True)
