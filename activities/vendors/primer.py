"""What our payloads have in common, as a dictionary for zlib (RFC 1950, preset dictionary).

A small payload consists mostly of its field names; knowing them beforehand halves what Temporal stores. Payloads live as
long as the histories that hold them, so a primer is **never edited**: a better one gets the next mark, and this one
stays readable.
"""

from __future__ import annotations

MARK = b"1"
"""The first byte of a body that was compressed with :data:`WORDS`."""

WORDS = (
    b'"not_before":"not_after":"part":"afternoon","exclude":["ignore":"milestones":{"form":"first_ring":"'
    b'"contacted":"interested":"qualified":"booked":"confirmed":"no_show":"recovered":"showed":"closed":"'
    b'"cards":[{"key":"lead-"title":"Meeting booked: "lines":["Why you: "calls":[{"attempt":"a1","sid":"CA'
    b'"seconds":120,"status":"completed","disposition":"talked","transcript":[{"who":"agent","text":"'
    b'{"who":"lead","text":"verdicts":[{"action":"allowed":true,"rule":"threshold":0.6,"value":'
    b'"evidence":["timings":[{"tokens_in":"tokens_out":"memory":{"needs_review":"ambiguous_dial"'
    b'"submission_id":"name":"phone":"+1"email":"@"company":"message":"source":"website","utm":{'
    b'"region":"US-"zip":"zone":"America/"promise":"page":"consent":{"text":"version":"kind":"written"}'
    b'"attributes":{"phone_hash":"email_hash":"person":{"handles":["zones":["America/New_York"]'
    b'"submissions":["seen":["touches":[{"attempt":"touch":"cadence/1/0/call_1","channel":"call","outcome":"'
    b'no-answer"},{"attempt":"cadence/1/1/text_1","touch":"channel":"text","outcome":"sent","sid":"SM'
    b'"dials":"pass_no":1,"pass_began":"next_touch":"last_touch_at":"last_over_at":"reached":true,'
    b'"learned":{"use_case":{"field":"value":"quote":"source":"said"}},{"field":"team_size","signs":[{'
    b'"sign":"commitment","about":"booking","strength":"objections":{"offered":["refused":["'
    b'"settled":"stage":"attempting","furthest":"qualified"disposition":"reason":"owner":"ana"'
    b'{"kind":"act"by":"agent","action":{"kind":"offer_slots"},"kind":"book","slot":"ana@'
    b'{"allowed":true,"version":"rule":"detail":"slots":[{"id":"rep":"ana","start":"end":"'
    b'"booking":{"id":"rep_name":"event_id":"title":"notes":"attendee":"attendee_name":"team":"sales",'
    b'"learned":[{"at":"attempt":"turn":1,"node":"qualification"ended":{"outcome":"voicemail"'
    b'{"at":"2026-11-21T16:00:00.000000Z","kind":"call_ended","version":"text":"call over: '
    b'"data":{"attempt":"a1","sid":"touch":"segments":"1","seconds":"0"}},{"at":"2027-'
    b'"kind":"text_sent","version":"text":"texted: "kind":"call_placed","version":"text":"dialled ('
    b'"kind":"learned","text":"learned "data":{"source":"said","attempt":"kind":"waiting","rule":"calling_hours"'
    b'{"lead":"lead-"version":"audience":"inbound","playbook":"now":"2026-"stage":"furthest":"source":"'
    b'"entries":[{"at":"2026-{"gate":{"lead":"lead-"audience":"inbound","handles":["'
    b'"],"attempt":"a"to":"+1"ring":25.0,"longest":900.0,"not_after":"2026-'
    b'"touch":"reminder/"body":"Hi , this is from "booking":"expires":"2026-{join_link}{manage_link}'
    b' is due"record, CRM, reps: attempting"record, CRM, reps: contacted"call_1 at that time"'
    b'waiting for the meeting"meeting in 1 day, 0:00:00""asked by agent"{"sid":"SM"segments":1}{"sid":"CA"'
    b'{"at":"2026-11-21T16:00:00Z","attempt":"a","sid":"CA","status":"completed","seconds":'
    b'\n\x16\n\x08encoding\x12\njson/plain\x12'
)
