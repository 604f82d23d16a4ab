"""What the ``showrate`` command prints for people. ``--json`` prints data instead and does not come here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from workflows.effects import Entry
from workflows.wording import written_time

from .phrases import ago, clock, date, tone, words
from .stories import Row, Story

out = Console(highlight=False, markup=False)
err = Console(stderr=True, highlight=False, markup=False)

STYLES = {"good": "green", "main": "cyan", "bad": "red", "warn": "yellow", "": "white"}
DOTS = {"good": "●", "main": "●", "bad": "✖", "warn": "▲", "": "·"}


def lead(story: Story, now: datetime | None = None) -> RenderableType:
    """One lead: who, where it stands, what comes next and why, its meeting, its story."""
    at = now or datetime.now(UTC)
    person, seen = story.person, story.now
    head = Text(person.name if person and person.name else story.lead, style="bold")
    if person:
        contact = filter(None, (person.company, person.phone, person.email))
        head.append("  " + " · ".join(contact), style="dim")
    lines: list[RenderableType] = [head, Text(f"{story.lead}", style="dim"), Text("")]
    lines.append(_fact("stage", words(story.stage) + (f" ({words(seen.disposition)})" if seen and seen.disposition else "")))
    if seen and seen.next_reason:
        due = f", {ago(seen.next_at, at)}" if seen.next_at else ""
        lines.append(_fact("next", seen.next_reason + due))
    if story.silence:
        lines.append(_fact("silent", story.silence, "yellow"))
    if seen and seen.held_by:
        lines.append(_fact("on hold", seen.held_by, "yellow"))
    if seen and seen.taken_over_by:
        lines.append(_fact("taken over", f"by {seen.taken_over_by}", "yellow"))
    if seen and seen.opted_out:
        lines.append(_fact("opted out", "nobody contacts them again", "red"))
    if seen and seen.needs_review:
        lines.append(_fact("review", words(seen.needs_review), "yellow"))
    if story.booking:
        meeting = story.booking
        why = f" · {meeting.reason}" if meeting.reason else ""
        when = written_time(meeting.start, story.zone)
        lines.append(_fact("meeting", f"{when} with {meeting.rep_name or meeting.rep}{why}", "green"))
    for name, value in story.learned.items():
        lines.append(_fact(words(name), value))
    return Group(Panel(Group(*lines), border_style="dim"), timeline(story.entries, story.zone))


def timeline(entries: Iterable[Entry], zone: str) -> RenderableType:
    """The story, one line an entry, in the lead's zone."""
    lines: list[RenderableType] = []
    day = ""
    for entry in entries:
        if date(entry.at, zone) != day:
            day = date(entry.at, zone)
            lines.append(Text(f"{day}, {zone}", style="bold dim"))
        mark = tone(entry.kind)
        line = Text(f"  {clock(entry.at, zone)}  ", style="dim")
        line.append(f"{DOTS[mark]} ", style=STYLES[mark])
        line.append(entry.text)
        if entry.rule:
            line.append(f"  [{words(entry.rule)}]", style="dim")
        lines.append(line)
    return Group(*(lines or [Text("  nothing has been told yet", style="dim")]))


def reasons(story: Story) -> RenderableType:
    """Why: what comes next and its reason, every decision with its rule, every verdict with its evidence."""
    seen = story.now
    parts: list[RenderableType] = []
    if seen:
        parts += [_fact("next", f"{words(seen.next_step)}: {seen.next_reason}"), Text("")]
    parts.append(timeline(story.entries, story.zone))
    verdicts = [(call.attempt, verdict) for call in story.calls for verdict in call.verdicts]
    if verdicts:
        table = Table(title="What was allowed, and why", box=None, header_style="dim", title_justify="left")
        for name in ("call", "action", "verdict", "rule", "value", "evidence"):
            table.add_column(name)
        for attempt, v in verdicts:
            value = f"{v.value:.2f} of {v.threshold:.2f}" if v.value is not None and v.threshold is not None else ""
            style = "green" if v.allowed else "red"
            said = Text("; ".join(v.evidence) or v.detail, style="dim")
            verdict = Text("allowed" if v.allowed else "denied", style=style)
            table.add_row(attempt, words(v.action), verdict, words(v.rule), value, said)
        parts += [Text(""), table]
    return Group(*parts)


def listing(rows: Sequence[Row], now: datetime | None = None) -> RenderableType:
    """Leads as a table."""
    at = now or datetime.now(UTC)
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("name", "stage", "meeting", "owner", "changed", "lead"):
        table.add_column(name, no_wrap=name == "lead")
    for row in rows:
        meeting = written_time(row.booking.start, row.zone) if row.booking else ""
        stage = words(row.stage) + (f" ({words(row.disposition)})" if row.disposition else "")
        changed = ago(row.at, at) if row.at else ""
        table.add_row(row.name, stage, meeting, row.owner, changed, Text(row.lead, style="dim"))
    return table if rows else Text("no leads", style="dim")


def _fact(name: str, value: str, style: str = "") -> Text:
    line = Text(f"{name:<12}", style="dim")
    line.append(value, style=style)
    return line
