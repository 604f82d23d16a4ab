"""One way to be reached refused, and another welcome: "don't call me, just text", "e-mail only".

Such words end contact over what they refuse and over nothing else (their scope is the speaker's: 47 CFR 64.1200(a)(10)).
Both halves must be plain. Whatever says besides that all contact is to end, or names nothing that is welcome, is left to
:mod:`.reading`. Plain functions, in English and a little Spanish.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from .revocation import revokes
from .spelling import mended
from .words import Expression, any_of, remembered

Way = Literal["call", "text", "email"]
_ALL: tuple[Way, ...] = ("call", "text", "email")
_VERBS: dict[Way, str] = {
    "call": r"(?:call|calls|calling|called|phone|phoning|phoned|ring|ringing|dial|dialing)",
    "text": r"(?:text|texts|texting|texted|sms|message|messaging|msg)",
    "email": r"(?:email|emails|emailing|emailed|write to|correspond by email)",
}
_NOUNS: dict[Way, str] = {
    "call": r"(?:(?:phone |sales |voice )?calls?|calling|phoning|voicemails?|phone|llamadas?)",
    "text": r"(?:(?:text )?messages?|texts?|texting|sms|text msgs?|mensajes?|textos?)",
    "email": r"(?:emails?|emailing|newsletters?|mails?|e mails?|correos?)",
}
_ENDING = r"(?:stop|quit|cease|end|no|no more|not any|zero|without|discontinue|enough|opt(?: me)? out of|opt out|unsubscribe(?: me)? from|take me off|too many)"
_BETWEEN = r"(?: (?:all|any|the|these|those|your|with|of|it|more|further|future|sending|me|us|please|marketing|sales|phone|on))*"
_NEVER = r"(?:don't|dont|do not|never|can't take|cannot take|rather you didn't|prefer you didn't|prefer (?:that )?you not|prefer not to|please not|not|no me|ya no me|ya no)"
_EASED = r"(?: (?:please|you|ever|just|to|be|get|receive|have|want|need|do|any|more|by|send|me|us|a|it|the|your|even|again|anymore|manden|envien|to be))*"
_SPANISH_VERBS: dict[Way, str] = {"call": r"llam\w+", "text": r"text\w+", "email": r"escrib\w+"}
_FINE = r"(?:(?:is|are|'s|works?|remains?|would be|will be|stays?)(?: \w+)? )?(?:always |still |totally |much |really )?(?:ok|okay|okey|fine|good|great|best|better|welcome|acceptable|preferred|perfect|enough|works?|easier|yes|alright|the way|the best way|more my speed)"
_OPENING = r"(?:please |pls |just |only |and |um |uh |yes |yeah |instead |better |rather |ok |so |then |you (?:can |may |could )|can |may |still |also |always )"
_STRONG = r"(?:just|only|please|you (?:can|may|could)|(?:can|may) still|still|yes|instead|feel free to|continue to|happy to|rather you|better to)(?: still| also| always| just)?"
_ANY = "|".join((*_VERBS.values(), *_NOUNS.values()))
_TOGETHER = rf"(?: (?:me|us))?(?:(?: \.)?(?: (?:no|not|any|send|phone))? (?:{_ANY})){{0,2}}?(?: \.)? (?:and|or|nor|not|and no|or any)(?: (?:any|no|phone|send|sales|have it))* (?:{_ANY})\b"
"""What is named in one breath with what is refused is refused with it: "no calls, texts or e-mails"."""


class Wish(NamedTuple):
    """Which channels they refuse, and which they welcome by name."""

    refused: tuple[Way, ...] = ()
    welcome: tuple[Way, ...] = ()


def _refusal(channel: Way) -> Expression:
    verb, noun, spanish = _VERBS[channel], _NOUNS[channel], _SPANISH_VERBS[channel]
    refusals = (
        rf"\b{_ENDING}{_BETWEEN} {noun}\b(?! (?:is|are|works) (?:ok|okay|fine|good|great))",
        rf"\b{_ENDING}{_BETWEEN} {verb}\b",
        rf"\b{_NEVER}{_EASED} (?:{verb}|{noun}|{spanish})\b(?: (?:me|us|this (?:number|line|phone)|here|my (?:phone|cell|number|mobile|house|office)|again|anymore|any more|at all))*+(?! (?:the|that|it|a|an) )",
        rf"\b(?:take|remove|keep|get) (?:me|us|my \w+|this \w+) (?:off|from|out of)(?: (?:of|all|the|your|this|any))* {noun}(?: lists?)?\b",
        rf"\b{noun}(?: are a)? no(?:pe|t)?\b(?! (?:problem|worries))",
        rf"\bnot a {verb}er\b" if channel == "text" else rf"\b{noun} give me hives\b",
        rf"\b(?:revoke|withdraw|rescind)(?: \w+){{0,4}} (?:consent|permission)(?: \w+){{0,4}}? {verb}\b",
    )
    return any_of(*(rf"(?:{refusal})(?:{_TOGETHER})?" for refusal in refusals))


def _welcome(channel: Way) -> Expression:
    verb, noun = _VERBS[channel], _NOUNS[channel]
    said = [
        rf"(?:^|\. ){_OPENING}*{verb} (?:me|us|instead|it|the office|the stuff|my \w+|about|after|before)\b",
        rf"\b{_STRONG} {verb}\b",
        rf"(?<!my )(?<!this )\b{noun} {_FINE}\b|\b{noun} is the\b",
        rf"\b(?:by|via|through|using|use) (?:only )?(?:my |this |regular )?{noun}\b(?! list)",
        rf"\b(?:prefer|keep sending(?: me)?|want)(?: the| a| an| your| by)? {noun}\b|\bput it in (?:an? )?{noun}\b|\bsend(?: it| me| us| them)?(?: to| by)?(?: my| an| a)? {noun}\b",
        rf"\bonly {noun}\b|\b{noun} (?:only|me|instead|tho|though)\b",
    ]
    said += {
        "call": [r"\bgive (?:me|us) a (?:ring|call|buzz)\b", r"\ba phone call is\b", r"\b(?:want|like) the call\b"],
        "text": [r"\bm[aá]nd\w* (?:un )?(?:texto|mensaje)\b|\bpor (?:texto|mensaje)\b"],
        "email": [r"\bin writing\b|\bwritten correspondence\b|\bpor correo\b|\b(?:to|at|use) (?:my|this) email\b"],
    }[channel]
    return any_of(*said)


_REFUSED = {channel: _refusal(channel) for channel in _ALL}
_WELCOMED = {channel: _welcome(channel) for channel in _ALL}
_ONLY = {channel: any_of(rf"(?:^|\. )(?:please |pls |just )*{_NOUNS[channel]} only\b", rf"\bonly (?:by |via )?{_NOUNS[channel]}(?= please| thanks| \.|$)") for channel in _ALL}
_BARE_STOP = re.compile(r"^(?:please )?stop \.")
_MY_NUMBER = any_of(r"\b(?:delete|remove|lose|erase|forget|scratch) (?:my|this) (?:phone|cell|mobile|cell phone)? ?number(?: from your \w+)?\b")
_SIGNS = {"📞": " calls ", "☎": " calls ", "📧": " emails ", "✉": " emails ", "💬": " texts "}
_FOR_NOW = re.compile(r"\b(?:today|tonight|this (?:one|time|morning|afternoon|week)|during|until|right now|for now|at the moment)\b")
"""Where only this moment or this matter is spoken of."""
_OTHER_WAYS = re.compile(r"\b(?:whatsapp|linkedin|dm\w*|facebook|instagram|telegram)\b")


@remembered
def wish(text: str) -> Wish:
    """What ``text`` says of how to be reached. Empty unless it refuses one channel and welcomes another."""
    rest = _plain(text)
    if _OTHER_WAYS.search(rest):
        return Wish()
    only = [channel for channel in _ALL if _ONLY[channel].search(rest)]
    refused: set[Way] = set()
    for channel in _ALL:
        for found in _REFUSED[channel].found(rest):
            refused |= {channel, *(each for each in _ALL if re.search(rf"\b(?:{_VERBS[each]}|{_NOUNS[each]})\b", found))}
    for pattern in _REFUSED.values():
        rest = pattern.sub(" . ", rest)
    welcome = {channel for channel in _ALL if _WELCOMED[channel].search(rest) or channel in only}
    if _BARE_STOP.search(_plain(text)) or only:
        refused |= set(_ALL) - welcome
    if _MY_NUMBER.search(rest) and "email" in welcome:
        refused |= {"call", "text"}
        rest = _MY_NUMBER.sub(" . ", rest)
    refused -= set(only)
    if not refused or not welcome or refused & welcome or _FOR_NOW.search(rest):
        return Wish()
    for pattern in (*_WELCOMED.values(), *_ONLY.values()):
        rest = pattern.sub(" . ", rest)
    if revokes(re.sub(r"^(?:please )?stop \.", "", rest).strip()):
        return Wish()
    return Wish(tuple(c for c in _ALL if c in refused), tuple(c for c in _ALL if c in welcome))


def _plain(text: str) -> str:
    for sign, word in _SIGNS.items():
        text = text.replace(sign, word)
    said = mended(text).replace("e-mail", "email")
    return " ".join(re.sub(r"[^a-z0-9áéíóúñ'.]+", " ", re.sub(r"[,;:!?\n\u2013\u2014]+|\.(?=\s|$)|\bbut\b", " . ", said)).split())
