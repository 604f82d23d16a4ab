"""What schedulers tell us by themselves: somebody booked, moved or cancelled there, or did not come."""

from __future__ import annotations

from activities.settings import settings
from activities.vendors import calcom, calendly


async def subscribe() -> list[str]:
    """Have each scheduler with an account and a webhook secret tell us of changes; the names of those that do now and
    did not before. Raises as they do."""
    house = settings()
    known = (
        ("Cal.com", calcom.configured(), calcom.subscribe, house.calcom_webhook, house.calcom_webhook_secret),
        ("Calendly", calendly.configured(), calendly.subscribe, house.calendly_webhook, house.calendly_webhook_key),
    )
    return [name for name, account, subscribe, url, key in known if account and key and await subscribe(url, key)]
