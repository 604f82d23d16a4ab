"""What somebody wrote into an e-mail themselves: without the message that they answer, and without their signature.

Mail programs mark neither in one way, so the marks of the common ones are looked for: Gmail, Outlook, Apple Mail,
Thunderbird and the phones', in English, Spanish, German and French. What stands below an answer is never read: an "or
text STOP" that we wrote ourselves is not theirs.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BEGINS = re.compile(
    r"^\s*(?:"
    r"-{2,}\s*(?:original message|forwarded message|mensaje original|urspr[uü]ngliche nachricht|message d'origine|reply above this line)\s*-*"
    r"|_{10,}|={10,}"
    r"|(?:on|el|am|le)\b.{4,200}\b(?:wrote|escribi[oó]|schrieb|a [eé]crit)\b.{0,80}:\s*"
    r"|(?:from|de|von)\s*:\s*.{0,200}(?:@|\[mailto:).*"
    r"|\*from:\*.*"
    r"|>.*"
    r")$",
    re.IGNORECASE,
)
_BEGINS_BROKEN = re.compile(r"^\s*(?:on|el|am|le)\b.{4,120}$", re.IGNORECASE)
_ENDS_BROKEN = re.compile(r"^.{0,160}\b(?:wrote|escribi[oó]|schrieb|a [eé]crit)\b.{0,40}:\s*$", re.IGNORECASE)
"""Such a line is often folded in two or three."""
_SIGNED = re.compile(
    r"^\s*(?:--\s*|—\s*|sent from my \w+.*|get outlook for \w+.*|sent (?:from|via|using) .{2,40}|enviado desde mi .*|von meinem .{2,20} gesendet.*"
    r"|envoy[eé] de mon .*)$",
    re.IGNORECASE,
)
_FAREWELL = re.compile(
    r"^\s*(?:(?:best|kind|warm|many)(?: (?:regards|wishes|thanks))?|regards|sincerely|cheers|saludos|atentamente|cordialmente|yours (?:truly|sincerely)"
    r"|respectfully|mit freundlichen gr[uü][sß]+en|cordialement)\s*[,.!]?\s*$",
    re.IGNORECASE,
)
_MOST = 20_000
"""Characters that are looked at."""
_MOST_LINES = 400


def own_words(text: str) -> str:
    """``text``, the plain part of an e-mail, as far as its writer wrote it. Empty when they only quote."""
    lines = text[:_MOST].replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ").split("\n")[:_MOST_LINES]
    answered = [line for line in lines if line.lstrip().startswith(">")]
    kept: list[str] = []
    for index, line in enumerate(lines):
        if _SIGNED.match(line) or (_FAREWELL.match(line) and any(kept)):
            break
        if line.lstrip().startswith(">"):
            if any(part.strip() and not part.lstrip().startswith(">") for part in lines[index:]) and not _signs_off(lines[index:]):
                continue  # an answer between the quoted lines, or below them
            break
        if _BEGINS.match(line) or (_BEGINS_BROKEN.match(line) and any(map(_ENDS_BROKEN.match, lines[index + 1 : index + 3]))):
            if answered and any(kept):
                break
            if answered:
                continue
            break
        kept.append(line.rstrip())
    words = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return "\n".join(line for line in words.split("\n") if not _ENDS_BROKEN.match(line)).strip()


def _signs_off(lines: list[str]) -> bool:
    """Whether nothing but a signature follows the quoted lines."""
    rest = [line for line in lines if line.strip() and not line.lstrip().startswith(">")]
    return bool(rest) and bool(_SIGNED.match(rest[0]))


def own_words_of_html(html: str) -> str:
    """The same of an e-mail that has only an HTML part."""
    reader = _Reader()
    reader.feed(html[: 5 * _MOST])
    reader.close()
    return own_words("".join(reader.text))


class _Reader(HTMLParser):
    """The text of a page, a line for each block, without what is quoted in it."""

    _BLOCKS = frozenset(("p", "div", "br", "tr", "li", "h1", "h2", "h3", "table", "ul", "ol", "hr"))
    _VOID = frozenset(("br", "hr", "img", "meta", "link", "input", "col", "area", "base", "wbr"))
    _QUOTES = ("gmail_quote", "gmail_signature", "yahoo_quoted", "moz-cite-prefix", "moz-signature", "protonmail_quote", "outlookmessageheader")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self._hidden = 0
        self._over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._BLOCKS:
            self.text.append("\n")
        names = " ".join(value or "" for name, value in attrs if name in ("class", "id")).lower()
        if any(mark in names for mark in ("appendonsend", "divrplyfwdmsg")):
            self._over = True
        if tag in self._VOID:
            return
        if self._hidden or tag in ("style", "script", "head", "title", "blockquote") or any(q in names for q in self._QUOTES):
            self._hidden += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in self._BLOCKS:
            self.text.append("\n")
        if self._hidden and tag not in self._VOID:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden and not self._over:
            self.text.append(data.replace("\n", " "))
