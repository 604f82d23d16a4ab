"""What the ``showrate`` command prints for people. ``--json`` prints data instead and does not come here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from workflows import standing
from workflows.effects import CallNote, Entry
from workflows.events import Verdict
from workflows.messages import Accounted, Answer, Judged
from workflows.wording import written_time

from . import queue as desk
from .phrases import TIMINGS, ago, clock, date, measured, scope, span, tone, words
from .stories import Row, Story

out = Console(highlight=False, markup=False)
err = Console(stderr=True, highlight=False, markup=False)

STYLES = {"good": "green", "main": "cyan", "bad": "red", "warn": "yellow", "": "white"}
DOTS = {"good": "●", "main": "●", "bad": "✖", "warn": "▲", "": "·"}


def lead(story: Story, now: datetime | None = None) -> RenderableType:
    """One lead: who, where it stands, what comes next and why, its meeting, its story."""
    at = now or datetime.now(UTC)
    person, seen = story.person, story.now
    head = Text.assemble((person.name if person and person.name else story.lead, "bold"))
    if person:
        contact = filter(None, (person.company, person.phone, person.email))
        head.append("  " + " · ".join(contact), style="dim")
    lines: list[RenderableType] = [head, Text(f"{story.lead}", style="dim"), Text("")]
    lines.append(
        _fact("stage", words(story.stage) + (f" ({words(seen.disposition)})" if seen and seen.disposition else ""))
    )
    if seen and seen.next_reason:
        due = f", {ago(seen.next_at, at)}" if seen.next_at else ""
        lines.append(_fact("next", seen.next_reason + due))
    if story.silence:
        lines.append(_fact("silent", story.silence, "yellow"))
    if seen and seen.held_by:
        lines.append(_fact("on hold", held(story), "yellow"))
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


def held(story: Story) -> str:
    """What holds the lead: its own pause by whom, or a wider one and who paused that."""
    if story.hold is None:
        return story.now.held_by if story.now else ""
    why = f" ({story.hold.why})" if story.hold.why else ""
    return f"{scope(story.hold.scope)}, paused by {story.hold.by}{why}"


def timeline(entries: Iterable[Entry], zone: str, judged: bool = False) -> RenderableType:
    """The story, one line an entry, in the lead's zone; ``judged``: with the verdicts on what was proposed by text."""
    lines: list[RenderableType] = []
    day = ""
    for entry in entries:
        if date(entry.at, zone) != day:
            day = date(entry.at, zone)
            lines.append(Text(f"{day}, {zone}", style="bold dim"))
        mark = tone(entry.kind)
        line = Text.assemble((f"  {clock(entry.at, zone)}  ", "dim"))
        line.append(f"{DOTS[mark]} ", style=STYLES[mark])
        line.append(entry.text)
        if entry.rule:
            line.append(f"  [{words(entry.rule)}]", style="dim")
        lines.append(line)
        lines += [_verdict(each, zone) for each in entry.verdicts if judged]
    return Group(*(lines or [Text("  nothing has been told yet", style="dim")]))


def reasons(story: Story) -> RenderableType:
    """Why: what comes next and its reason, what waits for a person, how they fit, every decision with its rule, and of
    each call its path, its turns, its signals and its verdicts."""
    seen = story.now
    parts: list[RenderableType] = []
    if seen:
        due = f", {written_time(seen.next_at, story.zone)}" if seen.next_at else ""
        parts.append(_fact("next", f"{words(seen.next_step)}: {seen.next_reason}{due}"))
    for waiting in story.approvals:
        until = written_time(waiting.until, story.zone)
        parts.append(_fact("to approve", f"{waiting.words}, until {until}", "yellow"))
        parts.append(Text(f"            showrate lead approve {story.lead} {waiting.request}", style="dim"))
    parts += [_criterion(each) for each in story.criteria]
    parts += [_fact("concern", standing.objection(each), CONCERNS[each.status]) for each in story.concerns]
    parts += [_fact("sign", standing.sign(each)) for each in story.signs]
    parts += [Text("")] if parts else []
    if story.account:
        parts += [touches(story.account, story.zone), Text("")]
    parts.append(timeline(story.entries, story.zone, judged=True))
    for call in story.calls:
        if call.transcript or call.verdicts:
            parts += [Text(""), *_call(call, story.zone)]
    return Group(*parts)


def verdict(told: str, answer: Answer, zone: str) -> RenderableType:
    """What a lead answered; the times that it names, as they are typed."""
    times = [f"  --start {slot.start.astimezone(ZoneInfo(zone)).isoformat()}" for slot in answer.slots]
    return Group(Text(told), *(Text(time, style="dim") for time in times))


def touches(account: Sequence[Accounted], zone: str) -> RenderableType:
    """Touches due and touches made, one row a touch; each that is missing names its rule."""
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 1))
    for name in ("pass", "touch", "made", "came to"):
        table.add_column(name, no_wrap=name != "came to")
    for each in account:
        due = f", {written_time(each.due, zone)}" if each.due else ""
        missing = Text.assemble((f"[{words(each.rule)}] ", "yellow"), (f"{each.why}{due}", "dim"))
        table.add_row(
            str(each.pass_no), words(each.touch), written_time(each.at, zone) if each.at else "–",
            missing if each.rule else words(each.outcome),
        )  # fmt: skip
    return table


MARKS = {"met": ("✔", "green"), "failed": ("✖", "red"), "unknown": ("·", "dim"), "unconfirmed": ("?", "yellow")}
CONCERNS = {"open": "yellow", "softened": "cyan", "resolved": "green", "accepted": "dim"}


def _criterion(judged: Judged) -> Text:
    mark, style = MARKS[judged.status]
    line = Text.assemble((f"{'fit':<12}", "dim"))
    line.append(f"{mark} {words(judged.field)}", style=style)
    said = (
        f" {judged.value} ({judged.source}" + (f" “{judged.quote}”)" if judged.quote else ")") if judged.value else ""
    )
    line.append(said)
    line.append(f"  wanted {judged.wants}" + (", or it is no fit" if judged.knock_out else ""), style="dim")
    return line


def _call(call: CallNote, zone: str) -> list[RenderableType]:
    """One call: its path through the graph, the signals, each turn's times, and every verdict."""
    head = Text.assemble(("They called us" if call.inbound else "Call", "bold"))
    facts = (
        written_time(call.at, zone),
        span(call.seconds) if call.seconds else "",
        words(call.disposition or call.status),
    )
    head.append("  " + " · ".join(filter(None, (call.attempt, *facts))), style="dim")
    parts: list[RenderableType] = [head]
    if call.path:
        parts.append(_fact("  path", " → ".join(words(node) for node in call.path)))
    parts += [_fact("  concern", standing.objection(each), CONCERNS[each.status]) for each in call.concerns]
    signals = [m for m in call.moments if m.kind != "final"]
    for moment in signals:
        length = f" {span(moment.seconds)}" if moment.seconds else ""
        detail = f" ({words(moment.detail)})" if moment.detail else ""
        parts.append(_fact("  signal", f"{clock(moment.at, zone)}  {words(moment.kind)}{length}{detail}", "dim"))
    if table := _turns(call, zone):
        parts += [Text(""), table]
    if call.verdicts:
        parts += [Text(""), *(_verdict(v, zone) for v in call.verdicts)]
    return parts


def _turns(call: CallNote, zone: str) -> Table | None:
    """Each turn's times, one row a turn."""
    names = [name for name in TIMINGS if any(name in turn for turn in call.timings)]
    if not names:
        return None
    finals = [moment.at for moment in call.moments if moment.kind == "final"]
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 1))
    table.add_column("turn", justify="right")
    table.add_column("", no_wrap=True)
    for name in names:
        table.add_column(TIMINGS[name], justify="right")
    for number, turn in enumerate(call.timings, 1):
        at = clock(finals[number - 1], zone) if len(finals) == len(call.timings) else ""
        table.add_row(str(number), Text(at, style="dim"), *(measured(turn, name) for name in names))
    return table


def _verdict(v: Verdict, zone: str) -> Text:
    """What was allowed or not in the first line, with its rule, value and state version; on what in the second."""
    line = Text.assemble((f"  {clock(v.at, zone)}  ", "dim"))
    line.append(f"{'✔' if v.allowed else '✖'} {words(v.action)}", style="green" if v.allowed else "red")
    line.append("  allowed" if v.allowed else f"  denied: {words(v.rule)}")
    if v.value is not None and v.threshold:
        line.append(f"  {v.value:.2f} of {v.threshold:.2f}", style="bold")
    line.append(f"  version {v.version}", style="dim")
    said = " ".join(f"“{words}”" for words in v.evidence)
    if said or v.detail:
        line.append(f"\n{'':12}{said}")
        line.append(f"{'  ' if said else ''}{v.detail}", style="dim")
    return line


def listing(rows: Sequence[Row], now: datetime | None = None) -> RenderableType:
    """Leads as a table."""
    at = now or datetime.now(UTC)
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("lead", "stage", "meeting"):  # two lines each: the whole id stands in 80 columns too
        table.add_column(name, no_wrap=name == "lead", min_width=37 if name == "lead" else None)
    for row in rows:
        meeting = written_time(row.booking.start, row.zone) if row.booking else ""
        stage = words(row.stage) + (f" ({words(row.disposition)})" if row.disposition else "")
        changed = ago(row.at, at) if row.at else ""
        table.add_row(
            Text.assemble(row.name or "no name", ("\n" + row.lead, "dim")), Text.assemble(stage, ("\n" + changed, "dim")),
            Text.assemble(meeting, ("\n" + row.owner, "dim")),
        )  # fmt: skip
    return table if rows else Text("no leads", style="dim")


def queue(found: Sequence[desk.Ranked], now: datetime | None = None) -> RenderableType:
    """The review queue as a table, in the order given."""
    at = now or datetime.now(UTC)
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("no", "what", "who", "stage", "owner", "since", "due", "presses", "resolved"):
        table.add_column(name, justify="right" if name in ("no", "presses") else "left")
    for each in found:
        filed, item = each.filed, each.filed.item
        person = filed.lead.person
        due = ago(item.due, at) if item.due else ""
        over = f"{words(filed.way)} by {filed.by}" if filed.by else "overtaken" if filed.closed_at else ""
        late = "red" if item.due and item.due < at and not over else ""
        table.add_row(
            str(filed.number), each.title, person.name if person else filed.lead.lead, words(filed.lead.stage), filed.lead.owner,
            ago(item.since, at), Text(due, style=late), f"{each.score:,.0f}", over,
        )  # fmt: skip
    return table if found else Text("nothing for a person to look at", style="dim")


def item(ranked: desk.Ranked, call: CallNote | None) -> RenderableType:
    """One item of the review queue, with the conversation that it is about."""
    filed, about = ranked.filed, ranked.filed.item
    person = filed.lead.person
    lines = [
        Text(f"{filed.number}  {ranked.title}", style="bold"),
        _fact("lead", f"{person.name if person else ''} {filed.lead.lead}".strip()),
        _fact("stage", words(filed.lead.stage)),
        _fact("since", f"{about.since:%Y-%m-%d %H:%M} UTC"),
        _fact("rank", ranked.why),
    ]
    if about.words:
        lines.append(_fact("about", about.words))
    if filed.closed_at is not None:
        who = f"{words(filed.way)} by {filed.by}" if filed.by else "overtaken"
        said = f": {filed.words}" if filed.words else ""
        lines.append(_fact("resolved", f"{who}, {filed.closed_at:%Y-%m-%d %H:%M} UTC{said}"))
    else:
        lines.append(_fact("resolve by", ", ".join(ranked.ways)))
    for line in call.transcript if call else ():
        lines.append(Text.assemble((f"  {line.who:<6}", "dim"), line.text))
    return Group(*lines)


def _fact(name: str, value: str, style: str = "") -> Text:
    return Text.assemble((f"{name:<12}", "dim"), (value, style))
