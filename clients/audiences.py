"""Which playbook a new lead gets: a form's source has an audience, and an audience has its newest playbook."""

from __future__ import annotations

from activities.settings import Settings
from workflows.playbook import Playbook, registered

ANY = "inbound"
"""The audience of a source that ``SHOWRATE_AUDIENCES`` does not name."""


def audience_of(source: str, house: Settings) -> str:
    """The audience of a form's source."""
    return house.showrate_audiences.get(source, ANY)


def open_to_posts(house: Settings) -> list[str]:
    """The audiences that a post may name itself: those to which the house leads some source. Any other playbook of the
    folder (a demo's, with its fast clock) is nobody's to choose from outside."""
    return sorted({*house.showrate_audiences.values(), ANY})


def newest(audience: str) -> tuple[str, Playbook]:
    """Hash and content of the registered playbook of ``audience`` with the highest version; of equal versions the
    one registered last, which is the folder's. Raises LookupError when there is none.

    The hash comes from the registry: working it out again would cost more than all else that a form waits for."""
    best: tuple[str, Playbook] | None = None
    for content_hash, playbook in registered().items():
        if playbook.audience == audience and (best is None or playbook.version >= best[1].version):
            best = content_hash, playbook
    if best is None:
        raise LookupError(f"no playbook has the audience {audience}; add one to SHOWRATE_PLAYBOOKS")
    return best


def unserved(house: Settings) -> list[str]:
    """The audiences that a form may lead to and that have no playbook: a process that takes forms must not start."""
    audiences = {registered_one.audience for registered_one in registered().values()}
    return sorted({*house.showrate_audiences.values(), ANY} - audiences)
