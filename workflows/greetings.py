"""What first words tell about who or what answered the telephone: a voicemail, a screening service, a menu, a person.

Plain functions over a transcript, like those of :mod:`.reading`, in English. In doubt they say *person*: it is worse
to hang up on somebody than to talk to a machine for a moment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .words import any_of, plain

_KEYS = {
    "0": "0", "zero": "0", "oh": "0", "1": "1", "one": "1", "2": "2", "two": "2", "3": "3", "three": "3", "4": "4",
    "four": "4", "5": "5", "five": "5", "6": "6", "six": "6", "7": "7", "seven": "7", "8": "8", "eight": "8", "9": "9",
    "nine": "9", "star": "*", "pound": "#", "hash": "#",
}  # fmt: skip
_KEY = rf"(?:{'|'.join(_KEYS)})"

_TAKES_MESSAGE = any_of(
    r"\b(?:would|do|did) you (?:like|want|wanna|care|need)\b",
    r"\b(?:can|could|may|shall|should) i (?:take|give|pass|tell|have)\b",
    r"\bwant (?:me )?to (?:leave|take)\b",
    r"\b(?:he|she|they)(?:'s| is|'re| are)? (?:not|can't|cannot|won't|isn't|aren't|out|away|gone|in a)\b",
    r"\b(?:got|heard|left|leave|leaving) (?:me )?(?:your|you|a|the|my) (?:\w+ )?voice ?mail\b(?! (?:box|after))",
)
"""Somebody who answers for another, or speaks of a message that we left: a person."""
_VOICEMAIL = any_of(
    r"\b(?:please |just |kindly )?leave (?:me |us )?(?:a |your |an )?(?:\w+ ){0,2}(?:message|name|number|voice ?mail)\b",
    r"\b(?:after|at|following) the (?:sound of the )?(?:tone|beep|signal)\b",
    r"\b(?:you have|you've|you) reached (?:the |my |our )?(?:voice|personal|\w+'s|mail|office of|desk of|\w+ \w+|\w+$)",
    r"\bvoice ?mail (?:box|of|for|system|service|greeting)\b|\bvoice ?mailbox\b|\b(?:to|the) voice ?mail$",
    r"\bvoice (?:message|messaging) (?:system|service)\b",
    r"\bmailbox\b",
    r"\b(?:forwarded|transferred|sent) to (?:an? |the )?(?:automated |automatic )?(?:voice|mail)",
    r"\b(?:can't|cannot|can not|unable to|not able to|couldn't|could not) (?:come to|take|answer|get to|pick up|make it to)"
    r" (?:the|your|my) (?:phone|call)\b",
    r"\b(?:nobody|no one) is (?:available|here|able) to (?:take|answer)\b",
    r"\b(?:sorry|apologi[sz]e) (?:that )?(?:i|we) (?:have )?(?:missed|couldn't take) (?:your|the) call\b|\bsorry i missed you\b",
    r"\b(?:i'll|i will|we'll|we will|and i'll) (?:get back to you|call you back|return your call|give you a call)"
    r"(?: (?:as soon as|soon|shortly|at (?:my|our)|when))",
    r"\b(?:record|begin recording|start recording) (?:your|a) message\b|\bfinished recording\b",
    r"\bthe (?:\w+ )?(?:number|subscriber|customer|party|person|mobile) (?:that )?(?:you(?:'re| are| have|'ve| were)? )?"
    r"(?:call|dial|try|reach|has|is)",
    r"\bplease (?:hang up|try (?:again|your call again|to call) later)\b",
    r"\b(?:has|have) been (?:disconnected|changed)\b|\bnot in service\b",
)


_ANNOUNCED = any_of(
    r"\bthe (?:person|party|customer|subscriber) (?:that )?you(?:'re| are|'ve| have)? (?:called|calling|trying to (?:reach|call)|dialed|reached)"
    r" (?:can't|cannot|can not|is not|isn't|is unable|is currently|is unavailable)\b"
)
"""What no person says of another."""


def is_voicemail(text: str) -> bool:
    """Whether a voicemail's greeting or a network's announcement is speaking."""
    words = plain(text)
    return bool(_ANNOUNCED.search(words)) or (bool(_VOICEMAIL.search(words)) and not _TAKES_MESSAGE.search(words))


_NO_MESSAGE = any_of(
    r"\b(?:mailbox|voice ?mail|inbox) (?:\w+ )*?(?:full|not (?:been )?(?:set up|setup|accepting)|hasn't been (?:set up|setup))\b",
    r"\b(?:can't|cannot|can not|unable to|not able to|not) (?:accept|accepting|record|take)(?: any)?(?: more| new)? messages\b",
    r"\bnot in service\b|\bhas been (?:disconnected|changed)\b|\bnot a working number\b",
    r"\bplease (?:hang up|try (?:again|your call again|to call) later)\b|\bcannot be completed\b",
)


def takes_no_message(text: str) -> bool:
    """Whether a machine says that nothing can be left with it."""
    return bool(_NO_MESSAGE.search(plain(text)))


_SCREENING = any_of(
    r"\b(?:state|say|record|give|provide|tell me|leave) your name and (?:the |a |your )?(?:\w+ )?(?:reason|purpose|why|what)\b",
    r"\b(?:state|record) your name\b",
    r"\b(?:using|uses|used) (?:a |an )?(?:\w+ )?(?:call )?screening\b",
    r"\b(?:call )?screening (?:service|assistant|your call|this call|system)\b",
    r"\b(?:call|calls) (?:is|are) being screened\b|\bscreen(?:s|ing) (?:my|their|his|her|your|this|unknown|all) calls?\b",
    r"\bbefore i (?:try to |can )?(?:connect|put) you\b",
    r"\bwho(?:'s| is) calling and (?:why|what)\b",
    r"\bsee if (?:this person|the person|they|he|she) (?:is|are|'s) (?:available|free)\b",
    r"\b(?:virtual|digital|google|personal) assistant (?:of|for|answering|will|speaking|here)\b",
)


def is_screening(text: str) -> bool:
    """Whether a call-screening service asks who is calling, and why."""
    return bool(_SCREENING.search(plain(text)))


_MENU = any_of(
    rf"\b(?:press|dial|push) (?:the )?(?:number )?{_KEY}\b",
    r"\b(?:main menu|menu options|following options|options have (?:recently )?changed)\b",
    r"\bif you know (?:your|the) party's extension\b|\b(?:enter|dial) (?:the|your party's|their|an|it's) extension\b",
)
_PRESS = re.compile(rf"\b(?:press|dial|push) (?:the )?(?:number )?({_KEY})\b")


def is_menu(text: str) -> bool:
    """Whether a phone menu is speaking."""
    return bool(_MENU.search(plain(text)))


def key_for(menu: str, wanted: Sequence[str]) -> str:
    """The key that ``menu`` names for one of the ``wanted`` (an operator, the reception), in the order of these; empty
    when it offers none of them."""
    options = [option for sentence in re.split(r"[.;!?]", menu) for option in _options(plain(sentence))]
    for want in map(plain, wanted):
        found = next((key for key, what in options if f" {want} " in f" {what} "), "")
        if found:
            return found
    return ""


def _options(sentence: str) -> list[tuple[str, str]]:
    """Keys and what they are for, in one sentence of a menu: "press 1 for sales", or "for sales press 1"."""
    found = list(_PRESS.finditer(sentence))
    if not found:
        return []
    key_first = re.match(r"(?: now| please)* (?:for|to|if)\b", sentence[found[-1].end() :]) is not None
    options = []
    for index, press in enumerate(found):
        if key_first:
            end = found[index + 1].start() if index + 1 < len(found) else len(sentence)
            what = sentence[press.end() : end]
        else:
            what = sentence[found[index - 1].end() if index else 0 : press.start()]
        options.append((_KEYS[press[1]], what.strip()))
    return options


_HOLDING = any_of(
    r"\b(?:please )?(?:hold|stay|wait|remain) (?:on|please|the line|on the line|while|for)\b|^(?:please )?(?:hold|wait)$",
    r"\b(?:one|just a|just one|a|half a|wait a|hang on a|give me a) (?:moment|second|sec|minute|min)\b",
    r"\bhang on\b|\bbear with me\b",
    r"\b(?:connecting|transferring|forwarding|putting) (?:you|your call)\b|\b(?:i'll|i will|let me) (?:connect|transfer|put|get|try|see if|check|find|go get|grab)\b",
    r"\b(?:trying|try) to (?:reach|connect|locate|find)\b",
    r"\byour call (?:is|will be|may be)\b|\b(?:may|will) be (?:recorded|monitored)\b",
)
_ACKNOWLEDGED = re.compile(r"(?:ok |okay |great |all right |alright |got it |perfect )*(?:thanks|thank you|got it|ok|okay)(?: very much)?")


def is_holding(text: str) -> bool:
    """Whether we are asked to wait: by a service that looks for somebody, or by somebody who looks for another."""
    return bool(_HOLDING.search(plain(text)))


def is_acknowledged(text: str) -> bool:
    """Whether somebody or something only takes note of what it was told."""
    return bool(_ACKNOWLEDGED.fullmatch(plain(text)))


_LIVE = any_of(
    r"^(?:(?:uh|um|oh|yeah|yes|sorry|hey|hi|hello|good morning|good afternoon|good evening|halo|hallo|hola|bueno|ok|okay|what|huh)\b ?)+$",
    r"^(?:hello|hi|hey|yes|yeah) (?:this is|it's) \w+(?: speaking)?$|^\w+ speaking$",
    r"\bwho(?:'s| is| am i| are you)\b|\bwho do you\b",
    r"\b(?:how|what) (?:may|can|could) (?:i|we) (?:help|do|direct|assist)\b|\bhow (?:may|can|shall) i direct\b",
    r"\b(?:i'm|i am) (?:here|listening|back)\b|\b(?:can|do) you hear me\b|\bare you (?:there|still)\b|\bis (?:anyone|anybody|someone|somebody) there\b",
    r"\bthis is (?:he|she|him|her|me)\b|\bspeaking$",
    r"\bwhat(?:'s| is| do you) (?:this|it|want|need)\b",
    r"\b(?:just|i) (?:picked|pick) up\b|\bsorry (?:about that|i)\b",
)


def is_live(text: str) -> bool:
    """Whether only a person, here and now, says this: "Hello? ... hello?", "Acme, how may I help you?"."""
    return bool(_LIVE.search(plain(text))) and not is_voicemail(text)
