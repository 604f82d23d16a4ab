"""The file format of scenarios: who is on the line, what they do and when, and what must come of it.

A file holds any number of scenarios for one or several audiences (``docs/conversation.md`` shows one). Times of day
are the lead's wall clock, durations are written as in a playbook (``1.5s``, ``2m``). Words in angle brackets, such as
``<speech.robot>`` or ``<objections.price.answers.0>``, stand for the playbook's own words; its placeholders match
anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from workflows.conversation.turn import INTENTS, SIGNS
from workflows.events import Booking, Concern, Form, Slot
from workflows.messages import Brief
from workflows.model import Duration, Strict
from workflows.playbook import LOADER, Playbook, Source

BUNDLED = Path(__file__).with_name("scenarios")
"""The scenarios that come with the product."""
NOW = "2026-11-23 10:05"
"""When conversations begin unless a scenario says otherwise: a Monday, on the lead's wall clock."""
LENGTH = timedelta(minutes=30)

_REPS = {"ana": "Ana Torres", "ben": "Ben Okafor", "cleo": "Cleo Martin"}


class ScenarioError(ValueError):
    """A scenario file that cannot be used; the message names the file, the line, the field and the remedy."""


def _some(value: object) -> object:
    """One word where a list is expected."""
    return (value,) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_some)]


class Caller(Strict):
    """Who is on the line, as the lead's brief tells the conversation. Times are written ``2026-11-24 10:00 ana``."""

    name: str = "Dana Reyes"
    email: str = "dana@example.com"
    phone: str = "+12125550100"
    company: str = ""
    message: str = ""
    source: str = ""
    promise: str = ""
    attributes: dict[str, str] = Field(default_factory=dict)
    zone: str = "America/New_York"
    now: str = ""
    channel: Literal["call", "text", "email"] = "call"
    inbound: bool = False
    known: dict[str, str] = Field(default_factory=dict)
    fits: bool = False
    """All fields of the audience's ``fit`` are known already."""
    sources: dict[str, Source] = Field(default_factory=dict)
    opening: str = ""
    node: str = ""
    touch: str = "call_1"
    booking: str = ""
    missed: str = ""
    offered: tuple[str, ...] = ()
    objections: dict[str, int] = Field(default_factory=dict)
    concerns: tuple[Concern, ...] = ()
    talked_before: bool = False
    recording_notice: bool = False
    resumed: bool = False
    refusal: str = ""


class Sign(Strict):
    sign: str
    about: str = ""
    quote: str = ""

    @model_validator(mode="after")
    def _known(self) -> Sign:
        if self.sign not in SIGNS:
            raise ValueError(f"{self.sign} is no sign; write one of {', '.join(SIGNS)}")
        return self


class Thinks(Strict):
    """What the model does instead of thinking, for one turn: it ``fails``, or gives the turn written here."""

    fails: Literal["", "malformed", "wrong_action", "unreachable", "never", "cut"] = ""
    after: Duration | None = None
    """How long it takes to decide."""
    intent: str = "unclear"
    fields: dict[str, str] = Field(default_factory=dict)
    quotes: dict[str, str] = Field(default_factory=dict)
    """The quote of a field, where it is not its value."""
    signs: tuple[Sign, ...] = ()
    action: str = ""
    args: dict[str, str] = Field(default_factory=dict)
    say: str = ""

    @model_validator(mode="after")
    def _known(self) -> Thinks:
        if self.intent not in INTENTS:
            raise ValueError(f"{self.intent} is no intent; write one of {', '.join(INTENTS)}")
        return self

    @property
    def scripted(self) -> bool:
        """It gives a turn of its own."""
        return bool(self.action)


class LedgerSays(Strict):
    """What the lead answers the next action with, instead of what its ledger holds."""

    rule: str = ""
    """Refused, by this rule (``slot_taken``, ``no_slots``, ``stale_version``, ``autonomy_propose`` ...)."""
    after: Duration | None = None
    never: bool = False
    """No answer comes."""
    answers: int = Field(default=1, ge=1)
    """For so many actions."""


class Turn(Strict):
    """One thing that the other side (or the world) does. Exactly one of the first group is given; it happens when the
    floor is free, ``after`` a pause, or ``over`` so many words of ours."""

    says: str = ""
    answers: dict[str, str] = Field(default_factory=dict)
    """By field: says what is asked for, until none of these is asked for any more."""
    hums: str = ""
    """A backchannel, such as mm-hm."""
    cough: bool = False
    silence: Duration | None = None
    key: str = ""
    answered_by: str = ""
    """The carrier's machine detection."""
    line: Literal["", "lost", "restored", "hangs_up", "breaks"] = ""
    restart: bool = False
    """The gateway dies; another takes the call up from what the lead knows."""
    paused: bool = False
    """An operator pauses contact."""
    repeats: bool = False
    """The carrier sends the last words again."""

    after: Duration = timedelta(seconds=0.8)
    over: int | None = Field(default=None, ge=0)
    meanwhile: bool = False
    """It does not wait for the model or the ledger."""
    means: str = ""
    """What they really said, where the recogniser got it wrong."""
    confidence: float | None = Field(default=None, ge=0, le=1)
    partials: bool = False
    """The words come in piece by piece before they are final."""
    model: Thinks | None = None
    ledger: LedgerSays | None = None
    optional: bool = False
    """Said only if the talk is still open and something was asked; left out otherwise."""

    hears: Words = ()
    """All of this is in what we say until their next turn."""
    hears_not: Words = ()
    at: str = ""
    """The node in which the talk then is."""

    @model_validator(mode="after")
    def _one(self) -> Turn:
        doings = [name for name in DOINGS if getattr(self, name)]
        if len(doings) != 1:
            found = f"has {', '.join(doings)} at once" if doings else "does nothing"
            raise ValueError(f"a turn {found}; give exactly one of {', '.join(DOINGS)}")
        return self


DOINGS = (
    "says", "answers", "hums", "cough", "silence", "key", "answered_by", "line", "restart", "paused", "repeats",
)  # fmt: skip


class Expect(Strict):
    """What must come of a conversation. What is not given is not judged.

    The first group is the result, which any model must reach; the second is the way, as the scripted model goes."""

    actions: tuple[str | dict[str, str], ...] | None = None
    """Every action asked of the lead, in order: kinds, or mappings of its fields."""
    books: str | None = None
    """The time that is booked in the end; ``none``."""
    disposition: str | None = None
    outcome: str | None = None
    ends: str | None = None
    """Why the call was closed; ``open`` when it was not closed by us."""
    learned: dict[str, str] = Field(default_factory=dict)
    unlearned: tuple[str, ...] = ()
    never: Words = ()
    turns: int | None = None
    """At most so many turns of theirs."""

    path: tuple[str, ...] | None = None
    through: tuple[str, ...] = ()
    """These nodes, in this order, others between them."""
    verdicts: Words = ()
    """``book denied slot_not_offered``: action, allowed or denied, rule (which may be left out)."""
    says: Words = ()
    concerns: dict[str, str] = Field(default_factory=dict)
    moments: Words = ()
    asks: int | None = None
    """How often the model is asked."""


class Scenario(Strict):
    """One conversation. ``slots`` is what the ledger can give, in the order in which it gives them."""

    name: str
    about: str = ""
    covers: Words = ()
    """The branches that this scenario stands for."""
    audience: str
    file: str = ""
    line: int = 0
    lead: Caller = Caller()
    slots: tuple[str, ...] = ("2026-11-24 10:00 ana", "2026-11-24 15:30 ben", "2026-11-25 09:00 ana")
    book: dict[str, Any] = Field(default_factory=dict)
    """Values of the playbook that are other than written, nested as there."""
    turns: tuple[Turn, ...] = ()
    model: Thinks | None = None
    """What the model does in every turn that says nothing else."""
    expect: Expect = Expect()
    bookable: bool = False
    """The lead fits, wants a time and is offered one: a good model books."""
    corrupt: bool = True
    """Whether it is played with a spoilt transcript too."""

    @property
    def title(self) -> str:
        return f"{self.audience}/{self.name}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.lead.zone)

    @property
    def began(self) -> datetime:
        return datetime.fromisoformat(self.lead.now or NOW).replace(tzinfo=self.zone)

    def slot(self, written: str) -> Slot:
        """The slot that ``2026-11-24 10:00 ana`` means. Raises ValueError."""
        return _slot(written, self.zone)

    def adapted(self, playbook: Playbook) -> Playbook:
        """``playbook`` with what is other than written in this scenario. Raises ScenarioError."""
        if not self.book:
            return playbook
        try:
            return Playbook.model_validate(_merged(playbook.model_dump(), self.book))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ScenarioError(
                f"{self.file}:{self.line}: scenarios.{self.name}.book.{where}: {first['msg']}; write it as in a playbook"
            ) from error

    def brief(self, playbook: Playbook) -> Brief:
        """What the conversation is told as it begins."""
        who = self.lead
        form = Form(
            submission_id="f1", name=who.name, phone=who.phone, email=who.email, company=who.company,
            message=who.message, source=who.source, promise=who.promise, attributes=who.attributes,
        )  # fmt: skip
        booking = self._booking(who.booking) if who.booking else None
        missed = self._booking(who.missed) if who.missed else None
        return Brief(
            lead="lead-1", attempt="in-CA1" if who.inbound else "a1", version=3, playbook=playbook.name, person=form,
            zone=who.zone, refusal=who.refusal, channel=who.channel, learned=who.known, sources=who.sources,
            node=who.node or _node(who), opening=who.opening or _opening(who), booking=booking, missed=missed,
            offered=tuple(self.slot(each) for each in who.offered), objections=who.objections, concerns=who.concerns,
            talked_before=who.talked_before, recording_notice=who.recording_notice, resumed=who.resumed,
            touch="" if who.inbound else who.touch, reps=_REPS,
        )  # fmt: skip

    def _booking(self, written: str) -> Booking:
        return booked(self.slot(written), "b0")


def booked(slot: Slot, booking_id: str) -> Booking:
    """The booking of ``slot``."""
    return Booking(
        id=booking_id, rep=slot.rep, rep_name=_REPS.get(slot.rep, slot.rep), start=slot.start, end=slot.end
    )


def _slot(written: str, zone: ZoneInfo) -> Slot:
    day, clock, *rep = written.split()
    start = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=zone)
    who = rep[0] if rep else "ana"
    start = start.astimezone(ZoneInfo("UTC"))
    return Slot(id=f"{who}@{start.isoformat()}", rep=who, start=start, end=start + LENGTH)


def _node(who: Caller) -> str:
    if who.booking:
        return "reschedule" if who.inbound else "confirmation"
    if who.missed:
        return "no_show_recovery"
    return "identity" if who.inbound else "outreach"


def _opening(who: Caller) -> str:
    if who.missed:
        return "recovery"
    return "inbound" if who.inbound else "outreach"


# ---- reading ----------------------------------------------------------------------------------------------------


def read(folder: Path, audiences: Iterable[str] = ()) -> list[Scenario]:
    """The scenarios of all files under ``folder`` (or of one file), those for ``audiences`` if any are named.

    Raises ScenarioError."""
    files = sorted(folder.glob("*.yml")) if folder.is_dir() else [folder]
    if not files:
        raise ScenarioError(f"there is no scenario file (*.yml) in {folder}")
    wanted = set(audiences)
    found: list[Scenario] = []
    for file in files:
        try:
            text = file.read_text("utf-8")
        except OSError as error:
            raise ScenarioError(f"{file}: cannot be read: {error.strerror}") from error
        found += [each for each in parse(text, file.name) if not wanted or each.audience in wanted]
    return found


class _File(Strict):
    """A file's own level. ``audiences`` holds, for each audience that the file is for, what its scenarios share:
    ``lead``, ``slots``, and ``fit``, the fields of somebody who fits, with ``answers``, the words that say them."""

    audiences: dict[str, dict[str, Any]]
    scenarios: dict[str, Any]


def parse(text: str, file: str) -> list[Scenario]:
    """The scenarios in a file's ``text``. Raises ScenarioError."""
    try:
        root = yaml.compose(text, Loader=LOADER)
        content = yaml.load(text, LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "not readable as YAML"
        raise ScenarioError(f"{file}:{line}: {problem}; mend the YAML there") from error
    lines = {".".join(path): line for path, line in _lines(root, ())}
    if not isinstance(content, dict):
        raise ScenarioError(f"{file}:1: holds no mapping; start with audiences: and scenarios:")
    try:
        whole = _File.model_validate(content)
    except ValidationError as error:
        raise _refused(error, file, lines, "") from error
    return [
        _scenario(name, written, audience, shared or {}, file, lines)
        for name, written in whole.scenarios.items()
        for audience, shared in whole.audiences.items()
        if not isinstance(written, dict) or audience in _only(written, whole.audiences)
    ]


def _only(written: Mapping[str, Any], audiences: Mapping[str, Any]) -> Iterable[str]:
    only = written.get("only")
    return [only] if isinstance(only, str) else only or audiences


def _scenario(
    name: str, written: Any, audience: str, shared: Mapping[str, Any], file: str, lines: Mapping[str, int]
) -> Scenario:
    path = f"scenarios.{name}"
    if not isinstance(written, dict):
        raise ScenarioError(
            f"{file}:{lines.get(path, 1)}: {path}: holds no mapping; write turns: and expect:"
        )
    content = {key: value for key, value in written.items() if key != "only"}
    lead = {**shared.get("lead", {}), **content.get("lead", {})}
    if lead.get("fits"):
        lead["known"] = {**shared.get("fit", {}), **lead.get("known", {})}
    content["lead"] = lead
    content.setdefault("slots", shared.get("slots", Scenario.model_fields["slots"].default))
    content["turns"] = [_with_answers(turn, shared) for turn in content.get("turns") or ()]
    try:
        found = Scenario.model_validate(
            {**content, "name": name, "audience": audience, "file": file, "line": lines.get(path, 0)}
        )
        for place, times in (("slots", found.slots), ("lead.offered", found.lead.offered)):
            for index, each in enumerate(times):
                _checked_time(found, each, f"{place}.{index}")
        for place, each in (("lead.booking", found.lead.booking), ("lead.missed", found.lead.missed)):
            if each:
                _checked_time(found, each, place)
        if found.expect.books not in (None, "none"):
            _checked_time(found, str(found.expect.books), "expect.books")
    except ValidationError as error:
        raise _refused(error, file, lines, path) from error
    except _BadTime as error:
        where, problem = error.args
        place = f"{path}.{where}"
        raise ScenarioError(f"{file}:{_line(lines, place)}: {place}: {problem}") from error
    return found


def _with_answers(turn: Any, shared: Mapping[str, Any]) -> Any:
    """``answers: fit`` means the audience's own answers."""
    if isinstance(turn, dict) and turn.get("answers") == "fit":
        return {**turn, "answers": shared.get("answers", {})}
    return turn


def _merged(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{name: _merged(base.get(name), value) for name, value in over.items()}}
    return over


class _BadTime(Exception):
    """Where, and what is wrong with a remedy."""


def _checked_time(scenario: Scenario, written: str, place: str) -> None:
    try:
        scenario.slot(written)
    except (ValueError, KeyError) as error:
        raise _BadTime(place, f"{written!r} is no time; write it as 2026-11-24 10:00 ana") from error


def _refused(error: ValidationError, file: str, lines: Mapping[str, int], path: str) -> ScenarioError:
    first = error.errors()[0]
    where = ".".join(filter(None, (path, *map(str, first["loc"]))))
    problem = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        known = _fields_at(first["loc"])
        problem = "is not known here" + (f"; write one of {', '.join(known)}" if known else "; remove it")
    elif first["type"] == "missing":
        problem = "is missing; add it"
    return ScenarioError(f"{file}:{_line(lines, where)}: {where}: {problem}")


def _fields_at(place: tuple[int | str, ...]) -> tuple[str, ...]:
    """The fields that may stand beside the unknown one at ``place``."""
    kinds: dict[str, type[Strict]] = {
        "lead": Caller, "expect": Expect, "turns": Turn, "model": Thinks, "ledger": LedgerSays,
    }  # fmt: skip
    parents = [kinds[str(part)] for part in place[:-1] if str(part) in kinds]
    kind = parents[-1] if parents else (_File if place[0] in ("audiences", "scenarios") else Scenario)
    return tuple(
        name for name in kind.model_fields if name not in ("name", "audience", "file", "line") or parents
    )


def _lines(node: yaml.Node | None, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    if node is None:
        return
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, str(key.value)), key.start_mark.line + 1
            yield from _lines(value, (*path, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, str(index)), value.start_mark.line + 1
            yield from _lines(value, (*path, str(index)))


def _line(lines: Mapping[str, int], place: str) -> int:
    """The line of the nearest thing that stands in the file."""
    while place:
        if place in lines:
            return lines[place]
        place = place.rpartition(".")[0]
    return 1
