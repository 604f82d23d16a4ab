"""The shape that all our data has: frozen, validated, and lean on the wire.

A payload in Temporal's history is paid for by the byte, so a field that still has its default is not written.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
)

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def parse_duration(value: object) -> object:
    """Read ``90s``, ``15m``, ``36h``, ``2d`` (or several, ``1h 30m``) as a timedelta; other values pass on to
    pydantic, which reads ISO 8601 durations and numbers of seconds. Raises ValueError naming the remedy."""
    if not isinstance(value, str) or value[:1] in {"P", "-"}:
        return value
    total = 0.0
    for part in value.split():
        number = part.rstrip("abcdefghijklmnopqrstuvwxyz")
        unit = part[len(number) :]
        if unit not in _UNITS:
            raise ValueError(f"{value!r} is no duration; write a number with ms, s, m, h, d or w, such as 15m")
        total += float(number) * _UNITS[unit]
    return timedelta(seconds=total)


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("the time has no zone; write it with an offset, such as 2027-03-12T15:00:00Z")
    return value


Instant = Annotated[datetime, AfterValidator(_aware)]
"""A moment, always with its zone."""

Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(lambda d: d.total_seconds(), return_type=float, when_used="json"),
]
"""A length of time; written ``15m`` in a playbook and as seconds on the wire."""


_WHOLE = {"whole": True}


class Model(BaseModel):
    """A frozen value that leaves its defaults off the wire. Unknown fields are ignored, so that a worker can
    read what a newer one wrote; what people write by hand uses :class:`Strict`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def in_full(self) -> dict[str, Any]:
        """As JSON with all fields, also those at their defaults: for programs, which look for each by its name."""
        return self.model_dump(mode="json", context=_WHOLE)

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        written: dict[str, Any] = handler(self)
        if info.context is _WHOLE:
            return written
        defaults = _defaults(type(self))
        return {
            name: value
            for name, value in written.items()
            if name == "kind" or name not in defaults or getattr(self, name) != defaults[name]
        }


@cache
def _defaults(kind: type[BaseModel]) -> dict[str, Any]:
    """The defaults of a model's fields; those that must be given are left out."""
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in kind.model_fields.items()
        if not field.is_required()
    }


class Strict(Model):
    """A value that people write: an unknown field is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
