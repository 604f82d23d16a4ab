"""The scripted model's mind: from one request's instruction, state and words to one turn.

It answers as a decent model that follows its instruction would; it knows English wording and no playbook.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_WORDS = re.compile(r"[^a-z0-9áéíóúñ' ]+")
_SYNONYMS = {
    "price": r"\b(?:cost|costs|price|prices|pricing|how much|charge|fee|expensive)\b",
    "length": r"\bhow long\b|\b(?:online|in person)\b|\bwhere is it\b",
    "trial": r"\b(?:trial|try it|test it)\b",
    "integrations": r"\b(?:integrate|integrates|integration|integrations|connect|works? with)\b",
    "security": r"\b(?:secure|security|gdpr|privacy|encrypted|soc)\b",
    "product": r"\bwhat (?:is|does|do) (?:it|this|that|you)\b|\bhow does it work\b|\btell me (?:more|about)\b|\bwhat is this about\b",
}
_YES = r"^(?:(?:oh|uh|um|well|hi|hello|hey) )*(?:yes|yeah|yep|sure|ok|okay|of course|go ahead|absolutely|fine|great|perfect|sounds good|speaking|please do|why not|correct|right|definitely|si|sí|alright|all right)\b"
_NO = r"^(?:(?:oh|uh|um|well|sorry) )*(?:no|nope|nah|not really|not at all)\b"
_INTENTS: tuple[tuple[str, str], ...] = (
    ("stop", r"\bstop (?:calling|texting|contacting)\b(?! me (?:before|after|so))|\b(?:don't|do not|never) (?:call|contact|text)(?: me| us| here| this number)?(?: again| anymore| any more| ever)\b|\btake me off\b|\bremove (?:me|my number)\b|\bunsubscribe\b|\bopt out\b|\bleave me alone\b|^stop$"),
    ("person", r"\b(?:speak|talk) (?:to|with) (?:a |an |the )?(?:real |actual )?(?:human|person|someone|agent|manager|representative|salesperson)\b|\b(?:human|real person) please\b|\btransfer me\b"),
    ("complaint", r"\b(?:complaint|complain|lawyer|sue you|report you|harass)"),
    ("wrong_person", r"\bwrong (?:number|person)\b|\b(?:nobody|no one) (?:here )?(?:by|with|of) that name\b"),
    ("not_interested", r"\b(?:not|no longer) (?:really |at all )?interested\b|\bno interest\b|\b(?:don't|do not) (?:want|need) (?:it|this|a demo|the demo|anything|any)\b|\bchanged my mind\b"),
    ("cancel", r"\bcancel\b"),
    ("move", r"\b(?:reschedule|another time|different time|move (?:it|the|my)|new time|other time|push it)\b"),
    ("send_link", r"\b(?:send|text)(?: me| us)? (?:the |a |that |your )?(?:link|info|information|something|details)\b"),
    ("later", r"\b(?:call|ring|try)(?: me)? (?:back|later|again|tomorrow|next|in (?:a|an|\d|ten|five|twenty|half))|\bcan't talk\b|\bbad time\b|\bnot a good (?:time|moment)\b|\b(?:i'm|i am) (?:driving|busy|in a meeting)\b"),
)  # fmt: skip
_TIME = re.compile(
    r"\b(?:\d{1,2}(?::\d\d)? ?(?:am|pm)|\d{1,2}:\d\d|tomorrow|today|tonight|monday|tuesday|wednesday|thursday|friday|saturday|"
    r"sunday|next week|this week|morning|afternoon|evening|noon|midday|half past|quarter (?:past|to)|o'?clock|"
    r"at (?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d{1,2})|half (?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve))\b"
)
_PICK = re.compile(
    r"\b(?:first|second|third|fourth|last|latter|former|earliest|soonest|latest|sooner|either|any|whichever|"
    r"number (?:one|two|three|\d)|option (?:one|two|three|\d)|asap|as soon as possible|all work|both work)\b|^[1-5]$"
)
_BYE = r"\b(?:goodbye|good bye|bye|that's all|that is all|that's it|that's everything|nothing else|have a (?:good|nice|great))\b"
_NUMBER_WORDS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "hundred",
    "dozen",
    "couple",
]
_NUMBER = rf"(?:\d[\d,]*|(?:(?:{'|'.join(_NUMBER_WORDS)})(?:[ -](?:and )?)?)+|just me|only me|myself)"
_PEOPLE = re.compile(
    rf"\b({_NUMBER}) ?(?:people|users|of us|employees|staff|seats|folks|colleagues|drivers|technicians|persons)\b"
)
_CHOICES = {
    "now": r"\b(?:now|right away|immediately|asap|this month|this week)\b",
    "quarter": r"\b(?:quarter|next month|few months|couple of months|soon)\b",
    "year": r"\b(?:this year|next year|end of the year|later this year|six months|half a year)\b",
    "looking": r"\b(?:just looking|no rush|looking around|browsing|researching|curious|no timeline)\b",
    "decides": r"\b(?:i decide|my decision|i do|it's me|i'm the (?:owner|boss|ceo)|decision maker|just me|myself|i am)\b",
    "shares": r"\b(?:together|with my|we decide|we both|share)\b",
    "researches": r"\b(?:research|for my boss|on behalf)\b",
}
_FILLER = re.compile(
    r"^(?:(?:well|so|um|uh|oh|yes|yeah|sure|ok|okay|hi|hello|mostly|mainly|basically|probably|it is about|it's about|it would be|"
    r"we need help with|i need help with|we need|i need|we want to|i want to|we would like to|i would like to|we'd like to|"
    r"i'd like to|we are looking for|looking for|help with|for|to|about|it's|that would be)\b[ ,]*)+",
    re.I,
)
_ACKS = ("Got it, thanks.", "Thank you.", "Understood.", "All right.", "Okay, good.")


@dataclass
class Reader:
    """Reads one moment and decides on one turn."""

    instruction: str
    state: Mapping[str, Any]
    said: str
    fields: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        lowered = self.said.lower().replace("’", "'").replace("a.m.", "am").replace("p.m.", "pm")
        self.words = " ".join(re.sub(r"[^a-z0-9áéíóúñ':@._+ -]+", " ", lowered).split()).strip(" .")
        self.plain = " ".join(_WORDS.sub(" ", lowered).split())
        self.missing: list[dict[str, Any]] = list(self.state.get("missing", []))
        self.offered = self.state.get("offered", [])
        self.facts = self._section("Approved facts")
        self.concerns = self._section("Concerns")
        self.kinds = self._section("Fields")

    def _open(self, name: str) -> bool:
        return any(m["field"] == name and m["kind"] == "text" for m in self.missing)

    def _section(self, title: str) -> dict[str, str]:
        """The ``- name: text`` lines under a heading of the instruction."""
        found = re.search(rf"^{title}[^\n]*:\n((?:- [^\n]*\n?)+)", self.instruction, re.M)
        lines = found[1].splitlines() if found else []
        return {name.split(" (")[0]: text for name, _, text in (line[2:].partition(": ") for line in lines)}

    def turn(self) -> dict[str, Any]:
        self.fields = self._fields()
        intent, action, args, say = self._decide()
        if intent in ("concern", "question", "later"):
            # An aside is no answer to the open question.
            self.fields = [f for f in self.fields if not self._open(f["field"])]
        if action not in self.state["actions"]:
            action, args, say = "say", {}, self._onward()
        signs = []
        if intent in ("picks_time", "wants_meeting"):
            signs.append({"sign": "commitment", "about": "meeting", "quote": self.said})
        elif intent == "yes":
            signs.append({"sign": "confirmation", "about": self.state.get("last_asked", ""), "quote": self.said})
        elif intent in ("not_interested", "no"):
            signs.append({"sign": "denial", "about": "", "quote": self.said})
        elif intent == "concern":
            signs.append({"sign": "concern", "about": args.get("topic", ""), "quote": self.said})
        if re.search(r"\b(?:maybe|perhaps|i guess|not sure|i suppose)\b", self.plain):
            signs.append({"sign": "hesitation", "about": "", "quote": self.said})
        blank = {"field": "", "topic": "", "when": "", "choice": "", "why": ""}
        return {
            "reading": {"intent": intent, "fields": self.fields, "signs": signs},
            "action": {"name": action, "args": {**blank, **args}},
            "say": say,
        }

    # -- what to do ------------------------------------------------------------------------------------------------

    def _decide(self) -> tuple[str, str, dict[str, str], str]:
        """Intent, action, its args, and what to say."""
        plain, can = self.plain, set(self.state["actions"])
        intent = next((name for name, pattern in _INTENTS if re.search(pattern, plain)), "")
        named = bool(_TIME.search(self.words))
        if intent == "cancel" and not (self.state.get("meeting") and "cancel" in can):
            intent = ""
        if intent in ("stop", "person", "complaint", "wrong_person", "not_interested", "cancel"):
            return self._grave(intent)
        if self.offered and (picked := self._picks(named)):
            return picked
        if intent == "send_link":
            return intent, "send_link", {}, "Sure."
        if intent == "move" or (self.state.get("missed_meeting") and re.search(r"\bnew time\b", plain)):
            return "move", "offer_slots", {"when": self.said if named else ""}, "Let me look."
        if question := self._question():
            return question
        if intent == "later":
            return "later", "call_back", {"when": self.said if self._when() else ""}, "Sure."
        if self.state["node"] == "follow_up" and self._when():
            return "later", "call_back", {"when": self.said}, "All right."
        if concern := self._concern():
            return "concern", "answer", {"topic": concern}, ""
        if re.search(r"\balready (?:booked|have (?:a|an) (?:meeting|appointment|demo))\b", plain):
            return "already_booked", "say", {}, self._onward()
        return self._ordinary(named)

    def _grave(self, intent: str) -> tuple[str, str, dict[str, str], str]:
        action = {"stop": "opt_out", "person": "hand_off", "complaint": "hand_off", "cancel": "cancel"}
        why = {"person": "asked for a person", "complaint": "has a complaint"}.get(intent, "")
        return intent, action.get(intent, "decline"), {"why": why} if why else {}, "I understand."

    def _ordinary(self, named: bool) -> tuple[str, str, dict[str, str], str]:
        plain, node = self.plain, self.state["node"]
        bye = re.search(_BYE, plain)
        thanks = re.search(r"\b(?:thanks|thank you|cheers)\b", plain)
        if node in ("confirmation", "handoff") and (bye or thanks or re.search(_NO, plain)):
            return "goodbye", "end", {}, "Goodbye."
        if bye and not self.fields and len(plain.split()) <= 6:
            return "goodbye", "end", {}, "Goodbye."
        if node == "reschedule" and re.search(_YES, plain):
            return "move", "offer_slots", {"when": self.said if named else ""}, "Let me look."
        if re.search(_NO, plain) and node == "no_show_recovery":
            return "not_interested", "decline", {}, "I understand."
        if re.search(_NO, plain) and not self.fields and node in ("outreach", "identity"):
            return "later", "call_back", {"when": ""}, "When is better?"
        wants = re.search(r"\b(?:book|demo|meeting|appointment|find a time|see it|sign up)\b", plain)
        yes = re.search(_YES, plain)
        intent = "answer" if self.fields else "wants_meeting" if wants else "yes" if yes else "unclear"
        if named and not self.fields:
            intent = "names_time"
        left = self._left()
        if left:
            return intent, "ask", {"field": left[0]["field"]}, self._onward()
        if node in ("qualification", "booking", "no_show_recovery", "outreach", "identity") and not self.offered:
            return intent, "offer_slots", {"when": self.said if named else ""}, "Let me look."
        return intent, "say", {}, self._onward()

    def _left(self) -> list[dict[str, Any]]:
        known = {f["field"] for f in self.fields}
        return [m for m in self.missing if m["field"] not in known]

    def _onward(self) -> str:
        """An acknowledgement and the next question."""
        left = self._left()
        ack = _ACKS[sum(map(ord, self.said)) % len(_ACKS)] if self.fields or re.search(_YES, self.plain) else ""
        if left:
            return f"{ack} {left[0]['ask']}".strip()
        if self.offered:
            return f"{ack} Which of these times suits you best?".strip()
        if self.state["node"] in ("confirmation", "reschedule"):
            return f"{ack} Is there anything else?".strip()
        return ack  # what leads on from here is the system's to say

    def _picks(self, named: bool) -> tuple[str, str, dict[str, str], str] | None:
        """A choice among the offered times, or a wish for others."""
        refuses = re.search(r"\b(?:none|neither|no|not|don't|doesn't|can't|won't)\b", self.plain)
        if _PICK.search(self.words) and not (refuses and re.search(r"\b(?:any of|either)\b", self.plain)):
            return "picks_time", "book", {"choice": self.said}, "Great."
        fits = [o for o in self.offered if self._same_time(str(o["time"]))]
        if fits and not refuses:
            return "picks_time", "book", {"choice": self.said}, "Great."
        if refuses and not named and len(self.plain.split()) <= 12 and not re.search(_BYE, self.plain):
            return "refuses_times", "offer_slots", {"when": ""}, "Let me look for others."
        if named and "?" not in self.said:
            return ("picks_time", "book", {"choice": self.said}, "Great.") if fits else (
                "names_time", "offer_slots", {"when": self.said}, "Let me look.")  # fmt: skip
        if len(self.offered) == 1 and re.search(_YES, self.plain):
            return "picks_time", "book", {"choice": str(self.offered[0]["time"])}, "Great."
        return None

    def _same_time(self, offered: str) -> bool:
        """Whether the caller's words name the time of day (or the only day) of an offer."""
        clock = re.search(r"(\d{1,2})(?::(\d\d))? ?(am|pm)", offered.lower())
        if not clock:
            return False
        hour, minute = clock[1], clock[2] or "00"
        for said in re.finditer(r"\b(\d{1,2})(?::(\d\d))?(?: ?(am|pm))?\b", self.words):
            if said[1] == hour and (said[2] or "00") == minute and (not said[3] or said[3] == clock[3]):
                return True
        word = (_NUMBER_WORDS[int(hour) - 1],) if 1 <= int(hour) <= 12 else ()
        return any(
            re.search(rf"\b(?:half (?:past )?{w})\b" if minute == "30" else rf"\b{w}(?: o'?clock)?\b", self.words)
            for w in word
        )

    def _when(self) -> bool:
        return bool(_TIME.search(self.words)) or bool(
            re.search(
                r"\bin (?:a|an|\d+|half|\w+) (?:minutes?|hours?|days?|seconds?|couple|few)\b|\bin an hour\b", self.plain
            )
        )

    def _question(self) -> tuple[str, str, dict[str, str], str] | None:
        if "?" not in self.said and not re.match(
            r"^(?:what|how|where|does|do|is|can(?!'t)|tell|who|why|when)\b", self.plain
        ):
            return None
        if re.search(
            r"\b(?:how did you get|who are you|why are you calling|who is this|who's this|scam)\b", self.plain
        ):
            topic = next((name for name, cues in self.concerns.items() if "who are you" in cues or "scam" in cues), "")
            if topic:
                return "concern", "answer", {"topic": topic}, ""
        for name, pattern in _SYNONYMS.items():
            if name in self.facts and re.search(pattern, self.plain):
                return "question", "state", {"topic": name}, ""
        asked = {w for w in self.plain.split() if len(w) > 4}
        for name, text in self.facts.items():
            if asked & {w for w in _WORDS.sub(" ", text.lower()).split() if len(w) > 4} or name in asked:
                return "question", "state", {"topic": name}, ""
        if (self.offered or self.state["node"] in ("booking", "reschedule")) and _TIME.search(self.words):
            return "names_time", "offer_slots", {"when": self.said}, "Let me look."
        return "question", "state", {"topic": ""}, ""

    def _concern(self) -> str:
        for name, cues in self.concerns.items():
            if any(f" {cue.strip()} " in f" {self.plain} " for cue in cues.split(",")):
                return name
        return ""

    # -- what they told ---------------------------------------------------------------------------------------------

    def _fields(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        asked = self.state.get("last_asked", "")
        for missing in self.missing:
            name, kind = missing["field"], missing["kind"]
            value = self._value(name, kind, missing.get("choices", []), asked == name)
            if value:
                found.append({"field": name, "value": value[0], "quote": value[1]})
        address = re.search(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", self.said)
        if address and "email" in self.kinds:
            found.append({"field": "email", "value": address[0].rstrip("."), "quote": address[0].rstrip(".")})
        return found

    def _value(self, name: str, kind: str, choices: list[str], asked: bool) -> tuple[str, str] | None:
        if kind == "number":
            people = _PEOPLE.search(self.plain)
            number = people or (re.search(rf"\b({_NUMBER})\b", self.plain) if asked else None)
            return (number[1].strip(), number[1].strip()) if number else None
        if kind == "choice":
            for choice in choices:
                pattern = _CHOICES.get(choice, rf"\b{re.escape(choice)}\b")
                match = re.search(pattern, self.plain)
                if match and (asked or choice in ("quarter", "year", "looking")):
                    return choice, match[0]
            return None
        if kind == "name":
            match = re.search(
                r"(?i:this is|my name is|my name's|it's|i'm|i am|speaking with)\s+([A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)*)|^([A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)*) (?:here|speaking)",
                self.said,
            )
            if match:
                value = match[1] or match[2]
                return value, value
            bare = (
                re.fullmatch(r"\s*([A-Za-z][\w'-]+(?:\s+[A-Za-z][\w'-]+){0,2})[.!]?\s*", self.said) if asked else None
            )
            if (
                bare
                and not re.search(rf"\b{_NUMBER}\b|\b(?:we|want|need|the|it|to|what|why)\b", self.plain)
                and not re.search(_YES, self.plain)
                and not re.search(_NO, self.plain)
            ):
                return bare[1], bare[1]
            return None
        if kind == "text":
            wish = re.search(
                r"\b(?:help with|need help|looking for|struggl\w+ with|problem with|want to|need to|use it for)\b",
                self.plain,
            )
            if not asked and not (wish and not re.search(r"\b(?:demo|book|call|time|meeting)\b", self.plain)):
                return None
            value = _FILLER.sub("", self.said.strip()).strip(" .!,")
            if len(value) < 3 or "?" in self.said:
                return None
            return value, value
        return None
