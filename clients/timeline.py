"""A call as a picture: who spoke when, who broke in, what was silent, and what was decided. SVG, from the call's note."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from html import escape
from typing import NamedTuple

from workflows.effects import CallNote
from workflows.events import Line, Moment, Verdict

from .phrases import span, words

_WIDE, _LEFT, _RIGHT = 860, 64, 14
_AGENT, _LEAD, _DECIDED, _AXIS = 34, 74, 114, 146
"""The middle of each lane, from the top."""
_BAR = 22
_PACE = 15.0
"""Characters in a second of speech, where nobody measured it."""
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
_MARKED = {
    "interruption": ("bad", "they broke in"),
    "resumed": ("soft", "no interruption: we went on"),
    "key": ("main", "a key was pressed"),
    "machine": ("warn", "a machine answered"),
    "screening": ("warn", "call screening"),
    "fax": ("warn", "a fax"),
    "filler": ("soft", "a filler"),
    "lost": ("bad", "the line was lost"),
    "restored": ("good", "the line was there again"),
    "hang_up": ("soft", "they hung up"),
    "longest": ("warn", "the longest that a call may last"),
}
"""Moments that are marked on the lanes: colour, words."""
_COLOURS = {
    "main": "var(--accent, #3d47d6)", "good": "var(--good, #14804a)", "bad": "var(--bad, #c0262d)",
    "warn": "var(--warn, #9a6700)", "soft": "var(--soft, #667085)", "line": "var(--line, #d0d5dd)",
}  # fmt: skip


Place = Callable[[datetime], float]
"""Where an instant stands, from the left."""


class Bar(NamedTuple):
    """Somebody speaks."""

    who: str
    start: datetime
    end: datetime
    text: str


def draw(call: CallNote) -> str:
    """The picture of ``call``; "" when nothing was said or decided in it."""
    bars = spoken(call)
    instants = (
        [b.start for b in bars] + [b.end for b in bars] + [m.at for m in call.moments] + [v.at for v in call.verdicts]
    )
    if not bars:
        return ""
    begins, ends = min(instants), max(instants)
    length = max((ends - begins).total_seconds(), 1.0)
    scale = (_WIDE - _LEFT - _RIGHT) / length

    def x(at: datetime) -> float:
        return round(_LEFT + (at - begins).total_seconds() * scale, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_AXIS + 24}" width="100%" role="img" '
        'font-family="system-ui, sans-serif" font-size="11" fill="currentColor">',
        f"<title>{escape(call.attempt)}: {span(length)}</title>",
        *(_text(4, at + 4, name) for at, name in ((_AGENT, "Agent"), (_LEAD, "Lead"), (_DECIDED, "Decided"))),
        *_axis(length, scale),
        *(_silence(m, x) for m in call.moments if m.kind == "silence" and m.seconds),
        *(_speech(bar, x) for bar in bars),
        *(_mark(m, x) for m in call.moments if m.kind in _MARKED),
        *(_verdict(v, x) for v in call.verdicts),
    ]
    return "".join([*parts, "</svg>"])


def spoken(call: CallNote) -> list[Bar]:
    """Who spoke from when to when. A line of the lead's ends when it was final; how long it took was measured. A line
    of ours begins when it was decided, lasts as long as it takes to say, and ends at the latest where they go on."""
    measured = {m.at: m.seconds for m in call.moments if m.kind == "final" and m.seconds}
    cut = sorted(m.at for m in call.moments if m.kind == "interruption")
    theirs = [_heard(line, measured.get(line.at)) for line in call.transcript if line.who == "lead"]
    bars = list(theirs)
    for line in call.transcript:
        if line.who == "agent":
            end = line.at + timedelta(seconds=len(line.text) / _PACE)
            stops = [at for at in cut if at > line.at] + [bar.start for bar in theirs if bar.start > line.at]
            stops += [later.at for later in call.transcript if later.at > line.at and later.who == "agent"]
            bars.append(Bar("agent", line.at, min([end, *stops]), line.text))
    return sorted(bars, key=lambda bar: bar.start)


def _heard(line: Line, seconds: float | None) -> Bar:
    length = timedelta(seconds=seconds if seconds else len(line.text) / _PACE)
    return Bar("lead", line.at - length, line.at, line.text)


def _axis(length: float, scale: float) -> Iterator[str]:
    """Seconds since the beginning, at a step that leaves room for its figures."""
    step = next((s for s in _STEPS if s * scale >= 46), _STEPS[-1])
    second = 0
    while second <= length:
        at = round(_LEFT + second * scale, 1)
        label = f"{second // 60}:{second % 60:02d}"
        yield f'<path d="M{at} 12V{_AXIS - 6}" stroke="{_COLOURS["line"]}" stroke-width="1"/>'
        yield _text(at, _AXIS + 10, label, "middle", _COLOURS["soft"])
        second += step


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = "currentColor") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'


def _speech(bar: Bar, x: Place) -> str:
    middle = _AGENT if bar.who == "agent" else _LEAD
    left, right = x(bar.start), x(bar.end)
    colour = _COLOURS["soft"] if bar.who == "agent" else _COLOURS["main"]
    return (
        f'<rect x="{left}" y="{middle - _BAR / 2}" width="{max(right - left, 3):.1f}" height="{_BAR}" rx="4" '
        f'fill="{colour}" fill-opacity=".75"><title>{escape(bar.text)}</title></rect>'
    )


def _silence(moment: Moment, x: Place) -> str:
    start = moment.at - timedelta(seconds=moment.seconds or 0)
    left, right = x(start), x(moment.at)
    told = f"silence of {span(moment.seconds or 0)}: {words(moment.detail)}"
    return (
        f'<rect x="{max(left, _LEFT)}" y="16" width="{max(right - max(left, _LEFT), 2):.1f}" height="{_LEAD}" '
        f'fill="{_COLOURS["warn"]}" fill-opacity=".14"><title>{escape(told)}</title></rect>'
    )


def _mark(moment: Moment, x: Place) -> str:
    tone, told = _MARKED[moment.kind]
    at = x(moment.at)
    after = f", after {span(moment.seconds)}" if moment.seconds else ""
    detail = f": {words(moment.detail)}" if moment.detail else ""
    lane = (_AGENT + _LEAD) / 2
    return (
        f'<path d="M{at} {lane - 7}l6 7-6 7-6-7z" fill="{_COLOURS[tone]}"><title>{escape(told + after + detail)}'
        "</title></path>"
    )


def _verdict(verdict: Verdict, x: Place) -> str:
    at, tone = x(verdict.at), "good" if verdict.allowed else "bad"
    told = f"{words(verdict.action)}: {'allowed' if verdict.allowed else 'denied'} ({words(verdict.rule)})"
    shape = (
        f'<circle cx="{at}" cy="{_DECIDED}" r="5.5" fill="{_COLOURS[tone]}">'
        if verdict.allowed
        else f'<rect x="{at - 5}" y="{_DECIDED - 5}" width="10" height="10" fill="{_COLOURS[tone]}">'
    )
    return f"{shape}<title>{escape(told)}</title></{'circle' if verdict.allowed else 'rect'}>"
