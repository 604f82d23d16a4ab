"""Twilio Lookup v2 on the wire: what kind of line a number is, and whether it went to somebody else.

Every number is a mobile one that is still whose it was, unless ``POST /_lookups {"number": "+1...", "type": "landline",
"reassigned": "yes"}`` says otherwise; ``GET /_lookups`` counts what was asked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workflows.identity import phone_number

from .traffic import Refused
from .twilio import credentials, refusal

if TYPE_CHECKING:
    from .app import World

_PACKAGES = (
    "caller_name", "sim_swap", "call_forwarding", "line_status", "line_type_intelligence", "identity_match",
    "reassigned_number", "sms_pumping_risk", "phone_number_quality_score", "pre_fill",
)  # fmt: skip


def routes(world: World) -> list[BaseRoute]:
    """The API, and the sandbox's own handle on what it says."""
    said: dict[str, dict[str, str]] = {}
    asked: dict[str, int] = dict.fromkeys(("line_type_intelligence", "reassigned_number"), 0)

    async def fetch(request: Request) -> Response:
        try:
            credentials(world, request)
            answer = _answer(request, said)
        except Refused as error:
            return refusal(error)
        for name in asked:
            asked[name] += answer[name] is not None
        return JSONResponse(answer)

    async def say(request: Request) -> Response:
        if request.method == "POST":
            told = await request.json()
            said[phone_number(told["number"])] = told
        return JSONResponse({"asked": asked})

    return [
        Route("/twilio/v2/PhoneNumbers/{number}", fetch, methods=["GET"]),
        Route("/_lookups", say, methods=["GET", "POST"]),
    ]


def _answer(request: Request, said: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Raises Refused."""
    try:
        number = phone_number(request.path_params["number"])
    except ValueError:
        raise Refused(404, 20404, "The requested resource was not found") from None
    fields = list(filter(None, request.query_params.get("Fields", "").split(",")))
    if unknown := [name for name in fields if name not in (*_PACKAGES, "validation")]:
        raise Refused(400, 60600, f"Invalid parameter: Fields {unknown[0]}")
    told = said.get(number, {})
    answer: dict[str, Any] = {
        "calling_country_code": "1", "country_code": "US", "phone_number": number, "national_format": number,
        "valid": True, "validation_errors": [], **dict.fromkeys(_PACKAGES),
        "url": f"https://lookups.twilio.com/v2/PhoneNumbers/{number}",
    }  # fmt: skip
    if "line_type_intelligence" in fields:
        answer["line_type_intelligence"] = {
            "mobile_country_code": None, "mobile_network_code": None, "carrier_name": None,
            "type": told.get("type", "mobile"), "error_code": int(told["error"]) if "error" in told else None,
        }  # fmt: skip
    if "reassigned_number" in fields:
        day = request.query_params.get("LastVerifiedDate", "")
        if not re.fullmatch(r"\d{8}", day):
            raise Refused(400, 60600, "Invalid parameter: LastVerifiedDate must be YYYYMMDD")
        answer["reassigned_number"] = {
            "last_verified_date": f"{day[:4]}-{day[4:6]}-{day[6:]}",
            "is_number_reassigned": told.get("reassigned", "no"), "error_code": told.get("error"),
        }  # fmt: skip
    return answer
