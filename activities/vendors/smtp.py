"""E-mail by SMTP, through aiosmtplib: one message on one connection, sent once.

The library repeats nothing by itself. Errors are ``retry``, ``permanent`` or, when the connection was lost after the
message had gone out, ``ambiguous`` (:mod:`activities.faults`). Nothing that is raised names a person or an address.
"""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

import aiosmtplib
from temporalio.exceptions import ApplicationError

from activities import faults
from activities.settings import settings

_WIRE = SMTP.clone(cte_type="7bit", max_line_length=998)
"""Not every server takes 8bit; and a header that holds a link, folded, is no link any more (RFC 5322, 2.1.1: 998)."""


def configured() -> bool:
    """Whether there is a mail server, and an address to write from."""
    return bool(settings().smtp_host and settings().mail_from)


def sender(name: str) -> Address:
    """Who our e-mails come from, under ``name``. Raises permanent when MAIL_FROM is no address."""
    try:
        return Address(display_name=name, addr_spec=settings().mail_from)
    except (ValueError, IndexError):
        raise faults.permanent("MAIL_FROM is no e-mail address; write it as demo@example.com") from None


async def send(message: EmailMessage, to: str, back: str = "") -> None:
    """Hand ``message`` to the mail server for ``to``; what cannot be delivered comes back to ``back``, else to MAIL_FROM.
    Raises retry, permanent, ambiguous."""
    house = settings()
    server = aiosmtplib.SMTP(
        hostname=house.smtp_host,
        port=house.smtp_port,
        username=house.smtp_user or None,
        password=house.smtp_password or None,
        use_tls=house.smtp_tls == "tls",
        start_tls=house.smtp_tls == "starttls",
        timeout=house.smtp_timeout,
    )
    handed = False
    try:
        await server.connect()
        await server.mail(back or house.mail_from)
        await server.rcpt(to)
        handed = True
        await server.data(message.as_bytes(policy=_WIRE))
    except aiosmtplib.SMTPResponseException as error:
        raise _refusal(error.code) from None
    except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPConnectError, aiosmtplib.SMTPTimeoutError, OSError) as error:
        lost = f"the mail server was lost: {type(error).__name__}"
        raise (faults.ambiguous(lost) if handed else faults.retry(lost)) from None
    except aiosmtplib.SMTPException:
        wants = "STARTTLS, or the login that is configured; check SMTP_TLS and SMTP_USER"
        raise faults.permanent(f"the mail server does not offer {wants}") from None
    finally:
        server.close()


def _refusal(code: int) -> ApplicationError:
    """4yz passes by itself, 5yz does not (RFC 5321, 4.2.1)."""
    told = f"the mail server answered {code}"
    return faults.permanent(told) if 500 <= code < 600 else faults.retry(told)
