"""The proof of a playbook's words: that what must be said is said, that there are words for whatever can happen, and
that nothing is said which the playbook itself forbids or cannot fill in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .fault import Fault, found
from .playbook import Playbook, Touch
from .speech import OPENINGS, STANDINGS, Interest, Promise
from .wording import FORM_FIELDS
from .words import fixed

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_ALWAYS = frozenset({"name", "company", "agent", "purpose", "asked", "promise", "phone"})
"""What is filled in every call, whatever the lead's state."""
_MEETING = frozenset({"rep", "time"})
_EXTRA = {
    **dict.fromkeys(("offer", "only", "which", "nearest", "nearest_only"), frozenset({"slots"})),
    **dict.fromkeys(("booked", "moved", "cancelled", "already"), _MEETING),
    **dict.fromkeys(("opening.booked", "opening.reschedule", "opening.recovery"), _MEETING),
    **dict.fromkeys(("opening.confirm", "late_somehow", "soon", "here", "join_sent", "about_meeting", "confirmed"), _MEETING),
    "late": _MEETING | {"minutes"},
    **dict.fromkeys(("opening.broken", "opening.not_picked_up"), frozenset({"question"})),
    "transfer": frozenset({"rep"}),
    **dict.fromkeys(("callback", "callback_moved"), frozenset({"time"})),
    "read_back": frozenset({"value"}),
    "silence": frozenset({"question"}),
}
"""What else is filled, by the part of speech."""
_WRITTEN = frozenset({"name", "company", "agent", "phone", "asked", "manage_link"})
"""What is filled in every text."""
_OF_MEETING = frozenset({"rep", "time", "spoken_time", "join_link"})
_OWN = {"own_page": frozenset({"page"}), "missed_offer": frozenset({"slots"})}
"""What is filled in one text alone."""
_BY_THEMSELVES = {"reply": frozenset({"subject", "reply"}), "wrong_number": frozenset[str]()}
"""E-mails that go with no text, and what else is filled in them."""
_MEETING_TEXTS = ("confirmation", "moved", "cancelled", "rep_cancelled", "declined", "check_in", "join")

_SPOKEN = {
    "offer_slots": ("offer", "no_slots", "nearest", "moment"),
    "book": ("booked", "moved", "slot_taken", "which"),
    "cancel": ("cancelled",),
    "call_back": ("callback", "callback_moved", "when"),
    "decline": ("not_interested", "wrong_person", "not_fit"),
    "opt_out": ("opted_out",),
    "hand_off": ("handoff", "complaint"),
    "send_link": ("link_sent", "link_only"),
    "task": ("tasked",),
    "refer": ("referred", "who"),
    "state": ("confirm_later",),
    "end": ("goodbye",),
}
"""The speech that an action needs."""
_TEXTED = {"book": ("confirmation", "moved"), "cancel": ("cancelled",), "send_link": ("link", "join")}
"""The texts that an action leads to."""
_MACHINE = ("automated", "virtual", "artificial", " ai ", "robot")


def _said(book: Playbook) -> Iterator[tuple[str, str]]:
    """Everything that is spoken, with its path."""
    for name in type(book.speech).model_fields:
        yield from _texts(f"speech.{name}", getattr(book.speech, name))
    for code, language in book.languages.items():
        yield f"languages.{code}.offer", language.offer
        yield f"languages.{code}.handoff", language.handoff
    for node, here in book.graph.items():
        yield f"graph.{node}.fallback", here.fallback
    for name, fact in book.facts.items():
        yield f"facts.{name}.text", fact.text
    for name, objection in book.objections.items():
        yield f"objections.{name}.short", objection.short
        yield from _texts(f"objections.{name}.answers", objection.answers)
    for name, question in book.fields.items():
        yield f"fields.{name}.ask", question.ask
        yield f"fields.{name}.rephrase", question.rephrase
    for index, interest in enumerate(book.interests):
        yield f"interests.{index}.say", interest.say
    for index, promise in enumerate(book.promises):
        yield f"promises.{index}.say", promise.say
        yield f"promises.{index}.late", promise.late


def _texts(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(f"{path}.{name}", inner)
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _texts(f"{path}.{index}", inner)


# ---- what must be said ------------------------------------------------------------------------------------------


def _disclosure(book: Playbook) -> Iterator[Fault]:
    """A machine says that it is one, and for whom it calls: in the first words, to a screening service, on a machine."""
    for path, words in (
        ("speech.disclosure", book.speech.disclosure),
        ("speech.screened", book.speech.screened),
        *_left_on_machines(book),
    ):
        if "{company}" not in words and book.company.name not in words:
            yield found("speech", path, "does not name the company", "write {company} into it")
        if not any(word in f" {words.lower()} " for word in _MACHINE):
            yield found("speech", path, "does not say that a machine speaks", "say that it is an automated assistant")
    if "record" not in book.speech.recording.lower():
        yield found("speech", "speech.recording", "does not say that the call is recorded", "say so")
    if not any(word in f" {book.speech.robot.lower()} " for word in _MACHINE):
        yield found("speech", "speech.robot", "does not say that a machine speaks", "say so: it is never denied")


def _left_on_machines(book: Playbook) -> Iterator[tuple[str, str]]:
    """The messages left on voicemails."""
    yield "speech.voicemail", book.speech.voicemail
    for name in dict.fromkeys(touch.voicemail for touch in _touches(book) if touch.voicemail):
        yield f"messages.{name}", book.messages.get(name, "")


def _touches(book: Playbook) -> tuple[Touch, ...]:
    return (*book.cadence.first, *book.cadence.recovery)


def _way_out(book: Playbook) -> Iterator[Fault]:
    """How contact is ended is said where we begin it: in each text of the cadence, and in a call that they did not ask
    for (47 CFR 64.1200(b)(3)), whose voicemail names a number for it."""
    for name in dict.fromkeys(touch.message for touch in _touches(book) if touch.channel == "text"):
        used = any(touch.message == name for touch in book.cadence.first)
        if used and "STOP" not in book.messages.get(name, ""):
            yield found("speech", f"messages.{name}", "does not say how to opt out", 'write "Reply STOP to opt out."')
    for path, words in _left_on_machines(book):
        if "{phone}" not in words and book.company.phone not in words:
            yield found("speech", path, "names no number", "write {phone} into it (47 CFR 64.1200(b)(2))")
    if not book.unasked:
        return
    for kind in ("outreach", "again"):
        if kind in book.speech.opening and "stop" not in fixed(book.speech.opening[kind]).split():
            remedy = "say that they can say stop at any time"
            yield found("speech", f"speech.opening.{kind}", "does not say how to stop the calls", remedy)


def _openings(book: Playbook) -> Iterator[Fault]:
    for kind, call in OPENINGS.items():
        if kind == "not_picked_up" and not book.call.transfer.ring:
            continue  # nobody is put through
        if not book.speech.opening.get(kind, "").strip():
            yield found("speech", "speech.opening", f"has no {kind}", f"add {kind}: {call}")
    for kind in sorted(set(book.speech.opening) - set(OPENINGS) - set(STANDINGS)):
        remedy = f"write one of {', '.join(OPENINGS)}"
        yield found("speech", f"speech.opening.{kind}", "is no kind of call", remedy)


def _words_for_actions(book: Playbook) -> Iterator[Fault]:
    """Whatever a node may do, there are words for it."""
    used = {action for here in book.graph.values() for action in here.actions}
    for action in sorted(used & set(_SPOKEN)):
        for name in _SPOKEN[action]:
            if not getattr(book.speech, name).strip():
                yield found("speech", f"speech.{name}", f"has no words, and {action} needs them", "write them")
    for action in sorted(used & set(_TEXTED)):
        for name in _TEXTED[action]:
            if not book.messages.get(name, "").strip():
                yield found("speech", "messages", f"has no {name}, which {action} sends", f"add {name}")
    texts = {*book.messages, *(name for names in _TEXTED.values() for name in names), *_BY_THEMSELVES}
    texts |= {touch.message for touch in _touches(book) if touch.channel == "email"}
    for name in sorted(set(book.mails) - texts):
        yield found("speech", f"mails.{name}", "goes with no text of that name", f"add messages.{name}")
    for node, here in book.graph.items():
        if not here.fallback.strip():
            yield found("speech", f"graph.{node}.fallback", "has no words", "say what keeps the talk going from here")


# ---- what may not be said ---------------------------------------------------------------------------------------


def _placeholders(book: Playbook) -> Iterator[Fault]:
    """Whatever stands in braces is filled where it stands."""
    for path, words in _said(book):
        part = path.removeprefix("speech.") if path.startswith("speech.") else ""
        extra = _EXTRA.get(part) or _EXTRA.get(part.partition(".")[0], frozenset())
        # What fills a placeholder is not filled again.
        known = frozenset[str]() if path.startswith(("interests.", "promises.")) else _ALWAYS | extra
        yield from _unfilled(path, words, known)
    of_meeting = {*_MEETING_TEXTS, *(reminder.message for reminder in book.reminders)}
    of_meeting |= {each.message for each in book.cadence.recovery} - {each.message for each in book.cadence.first}
    for name, words in book.messages.items():
        spoken = any(touch.voicemail == name for touch in _touches(book))
        known = _ALWAYS if spoken else _WRITTEN | (_OF_MEETING if name in of_meeting else _OWN.get(name, frozenset()))
        yield from _unfilled(f"messages.{name}", words, known)
    for name, letter in book.mails.items():
        known = _WRITTEN | (_OF_MEETING if name in of_meeting else _BY_THEMSELVES.get(name, frozenset()))
        yield from _unfilled(f"mails.{name}.subject", letter.subject, known - {"manage_link", "join_link"})
        yield from _unfilled(f"mails.{name}.body", letter.body, known)
    yield from _unfilled("mail_footer", book.mail_footer, frozenset({"company", "agent", "phone", "address", "stop_link"}))


def _commercial(book: Playbook) -> Iterator[Fault]:
    """E-mails that nobody asked for name a postal address and a way to stop them (CAN-SPAM, 15 U.S.C. 7704(a)(3), (5))."""
    if not any(touch.channel == "email" for touch in _touches(book)):
        return
    for wanted in ("{stop_link}", "{address}"):
        if wanted not in book.mail_footer:
            yield found("speech", "mail_footer", f"does not hold {wanted}, and the cadence sends e-mails", f"write {wanted} into it")
    if not book.company.address.strip():
        yield found("speech", "company.address", "is empty, and the cadence sends e-mails", "write your postal address")


def _unfilled(path: str, words: str, known: frozenset[str]) -> Iterator[Fault]:
    for name in dict.fromkeys(_PLACEHOLDER.findall(words)):
        if name not in known:
            remedy = f"write one of {', '.join(sorted(known))}" if known else "write it out"
            yield found("placeholders", path, f"{{{name}}} is not filled here", remedy)


def _forbidden(book: Playbook) -> Iterator[Fault]:
    """What the agent may never say is not in its own words either."""
    mails = ((f"mails.{name}", f"{letter.subject} {letter.body}") for name, letter in book.mails.items())
    for path, words in (*_said(book), *_texts("messages", book.messages), *mails):
        for phrase in book.forbidden:
            if f" {fixed(phrase)} " in f" {fixed(words)} ":
                yield found("forbidden", path, f"says {phrase}, which is forbidden", "say it otherwise")


def _silence(book: Playbook) -> Iterator[Fault]:
    """Each step of a silence has its time and its words, and none is said twice."""
    steps, waits = book.speech.silence, book.call.silence
    if len(waits) != len(steps):
        problem = f"has {len(waits)} times for {len(steps)} steps"
        yield found("silence", "call.silence", problem, "give one time for each of speech.silence")
    if len(steps) < 2:
        remedy = "give at least one to wake them up, and one to close"
        yield found("silence", "speech.silence", f"has {len(steps)} steps", remedy)
    said: set[str] = set()
    for index, step in enumerate(steps):
        wordings = (step,) if isinstance(step, str) else step
        if not wordings or not all(words.strip() for words in wordings):
            yield found("silence", f"speech.silence.{index}", "says nothing", "write what is said")
        for words in wordings:
            if words in said:
                yield found("silence", f"speech.silence.{index}", "is said twice", "give it other words")
            said.add(words)
    if not any(words.strip() for words in book.speech.filler):
        yield found("silence", "speech.filler", "has no words", "write at least one")


def _matchers(book: Playbook) -> Iterator[Fault]:
    """Interests and promises look at what a form has, and say something."""
    entries: list[tuple[str, Interest | Promise]] = [
        *((f"interests.{index}", interest) for index, interest in enumerate(book.interests)),
        *((f"promises.{index}", promise) for index, promise in enumerate(book.promises)),
    ]
    for path, entry in entries:
        if not entry.when:
            yield found("matchers", path, "matches nothing", "name a field of the form under when")
        for field, words in entry.when.items():
            part, dot, rest = field.partition(".")
            if part not in FORM_FIELDS or (dot and (part not in ("utm", "attributes") or not rest)):
                remedy = f"write one of {', '.join(FORM_FIELDS)}, utm.NAME or attributes.NAME"
                yield found("matchers", f"{path}.when.{field}", "is no field of a form", remedy)
            if not any(fixed(word) for word in words):
                yield found("matchers", f"{path}.when.{field}", "has no words", "give the words to look for")
        if not entry.say.strip():
            yield found("matchers", path, "says nothing", "give our words for it under say")


def _of_the_meeting(book: Playbook) -> Iterator[Fault]:
    """What is texted about a meeting by its policy has words."""
    wanted = {reminder.message for reminder in book.reminders} | ({"check_in"} if book.attendance.check_in is not None else set())
    for name in sorted(wanted - book.messages.keys()):
        yield found("speech", "messages", f"has no {name}", f"add {name}: it goes out about each meeting")


RULES = (
    _disclosure, _way_out, _openings, _words_for_actions, _of_the_meeting, _placeholders, _commercial, _forbidden, _silence, _matchers,
)  # fmt: skip
