"""One turn of the language model: what it read, the one action it proposes, and what it wants to say.

It decides, then speaks: the keys stand in this order in its JSON, so that the action is complete, and can be
authorised, before the first word exists. The text comes from a model that heard a stranger: it is untrusted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError

from ..model import Model
from ..playbook import Playbook

Intent = Literal[
    "answer",
    "question",
    "concern",
    "wants_meeting",
    "picks_time",
    "names_time",
    "refuses_times",
    "move",
    "cancel",
    "later",
    "call_now",
    "send_link",
    "already_booked",
    "not_interested",
    "wrong_person",
    "referral",
    "person",
    "robot",
    "stop",
    "complaint",
    "yes",
    "no",
    "goodbye",
    "unclear",
]
INTENTS: tuple[str, ...] = Intent.__args__  # type: ignore[attr-defined]
SIGNS = ("commitment", "concern", "confirmation", "denial", "hesitation")
ARGS = ("field", "topic", "when", "choice", "why")

MOST_WORDS = 2000
"""Characters of one turn's speech that are looked at; the rest is dropped."""


class FieldRead(Model):
    field: str
    value: str
    quote: str = ""


class SignRead(Model):
    sign: Literal["commitment", "concern", "confirmation", "denial", "hesitation"]
    about: str = ""
    quote: str = ""


class Reading(Model):
    intent: Intent = "unclear"
    fields: tuple[FieldRead, ...] = ()
    signs: tuple[SignRead, ...] = ()


class Proposal(Model):
    """``name`` is one of the node's actions; ``args`` has any of field (to ask for), topic (the fact or objection),
    when (the lead's words about a time), choice (their words about which slot) and why."""

    name: str
    args: dict[str, str] = Field(default_factory=dict)


class Decision(Model):
    """The part of a turn that stands before the words."""

    reading: Reading = Reading()
    action: Proposal


_Read = TypeVar("_Read", FieldRead, SignRead)
_THOUGHT = ("<think>", "</think>")


class MalformedTurn(ValueError):
    """The model's answer is no turn; the message says what is wrong, without the text."""


def schema(playbook: Playbook, actions: tuple[str, ...]) -> dict[str, Any]:
    """The JSON schema of a turn that can name only ``actions``, strict in the sense of structured output: every
    property is required, none may be added."""
    fields = sorted(playbook.fields)
    text = {"type": "string"}
    return _object(
        reading=_object(
            intent={"type": "string", "enum": list(INTENTS)},
            fields=_list(_object(field={"type": "string", "enum": fields}, value=text, quote=text)),
            signs=_list(_object(sign={"type": "string", "enum": list(SIGNS)}, about=text, quote=text)),
        ),
        action=_object(
            name={"type": "string", "enum": list(actions)},
            args=_object(
                field={"type": "string", "enum": ["", *fields]},
                topic={"type": "string", "enum": ["", *sorted({*playbook.facts, *playbook.objections})]},
                when=text,
                choice=text,
                why=text,
            ),
        ),
        say=text,
    )


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_SIGN = re.compile(r'["{}\[\]]')
_QUOTE = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
"""The rest of a JSON string, with its closing quote."""


class TurnReader:
    """Reads a turn while it streams in. :meth:`feed` takes the next piece of text and gives what became known:
    the Decision once, then the words. Raises MalformedTurn as soon as the text can be no turn."""

    def __init__(self, actions: tuple[str, ...]) -> None:
        self._actions = actions
        self._text = ""
        self._begun = False
        self._decision: Decision | None = None
        self._say_at = -1
        self._spoken = 0
        self.complete = False

    def feed(self, piece: str) -> list[Decision | str]:
        self._text += piece
        if len(self._text) > 64 * 1024:
            raise MalformedTurn("longer than 64 KiB")
        known: list[Decision | str] = []
        if not self._begun:
            begins = _beginning(self._text)
            if begins is None:
                return known
            self._text, self._begun = self._text[begins:], True
        if self._decision is None:
            at = _key(self._text, "say") if '"say"' in self._text else None
            if at is None:
                return known
            self._decision = self._decided(self._text[: at[0]])
            self._say_at = at[1]
            known.append(self._decision)
        words, ended = _partial_string(self._text, self._say_at)
        words = words[:MOST_WORDS]
        if len(words) > self._spoken:
            known.append(words[self._spoken :])
            self._spoken = len(words)
        self.complete = self.complete or ended
        return known

    def finish(self) -> None:
        """The stream has ended. Raises MalformedTurn when the turn is not whole."""
        if not self.complete:
            raise MalformedTurn("ended before the turn was whole")

    def _decided(self, head: str) -> Decision:
        try:
            content = json.loads(head.rstrip().rstrip(",") + "}")
        except ValueError as error:
            raise MalformedTurn("is no JSON before say") from error
        return decision(content, self._actions)


def decision(content: object, actions: tuple[str, ...]) -> Decision:
    """The checked Decision of a parsed turn. What was read wrongly (a server without strict output) is dropped piece
    by piece; an action that the schema did not offer is refused. Raises MalformedTurn."""
    if not isinstance(content, dict) or not isinstance(content.get("action"), dict):
        raise MalformedTurn("names no action before say")
    name, args = content["action"].get("name"), content["action"].get("args")
    if name not in actions:
        raise MalformedTurn("names an action that this node does not allow")
    given = args if isinstance(args, dict) else {}
    proposal = Proposal(name=name, args={arg: given[arg] for arg in ARGS if isinstance(given.get(arg), str)})
    return Decision(reading=_reading(content.get("reading")), action=proposal)


def _reading(content: object) -> Reading:
    found = content if isinstance(content, dict) else {}
    return Reading(
        intent=found["intent"] if found.get("intent") in INTENTS else "unclear",
        fields=tuple(_valid(FieldRead, found.get("fields"))),
        signs=tuple(_valid(SignRead, found.get("signs"))),
    )


def _valid(kind: type[_Read], content: object) -> Iterator[_Read]:
    for each in content if isinstance(content, list) else ():
        with suppress(ValidationError):
            yield kind.model_validate(each)


def _beginning(text: str) -> int | None:
    """Where the turn begins in ``text``: some servers put the model's thoughts, or a fence of code, before it. None
    while it has not begun."""
    at = 0
    if text.lstrip().startswith(_THOUGHT[0]) or _THOUGHT[0].startswith(text.strip()):
        end = text.find(_THOUGHT[1])
        if end < 0:
            return None
        at = end + len(_THOUGHT[1])
    begins = text.find("{", at)
    return None if begins < 0 else begins


def _key(text: str, wanted: str) -> tuple[int, int] | None:
    """Where the top-level key ``wanted`` begins, and where its string value begins (after the quote), once both
    have been seen in the partial JSON ``text``."""
    depth, at = 0, 0
    while sign := _SIGN.search(text, at):
        char, at = sign[0], sign.start()
        if char == '"':
            end = _string_end(text, at + 1)
            if end is None:
                return None
            if depth == 1 and text[at + 1 : end] == wanted:
                rest = text[end + 1 :]
                colon = len(rest) - len(rest.lstrip())
                if rest[colon : colon + 1] == ":":
                    value = rest[colon + 1 :]
                    quote = len(value) - len(value.lstrip())
                    if value[quote : quote + 1] == '"':
                        return at, end + 1 + colon + 1 + quote + 1
                    if value[quote:]:
                        raise MalformedTurn("say is no string")
                    return None
            at = end
        elif char in "{[":
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                raise MalformedTurn("ended without say")
        at += 1
    return None


def _string_end(text: str, at: int) -> int | None:
    """Where the string ends that goes on at ``at``; None where its quote is not there yet."""
    found = _QUOTE.match(text, at)
    return None if found is None else found.end() - 1


def _partial_string(text: str, at: int) -> tuple[str, bool]:
    """The JSON string that begins at ``at`` as far as it is there, and whether it has ended. An escape sequence or a
    surrogate pair that is cut is left for the next piece; a half of a pair that stays alone becomes a ?."""
    end = _string_end(text, at)
    raw = text[at:end] if end is not None else text[at:]
    for cut in range(len(raw), max(len(raw) - 7, -1), -1):
        try:
            words = str(json.loads(f'"{raw[:cut]}"', strict=False))
        except ValueError:
            if end is not None:
                raise MalformedTurn("say is no JSON string") from None
            continue
        if end is None and words and "\ud800" <= words[-1] <= "\udbff":
            words = words[:-1]
        return words.encode("utf-8", "replace").decode(), end is not None
    return "", False
