"""The frame of every sandbox page: one look, no outside asset, live by polling JSON."""

from __future__ import annotations

from html import escape

LINKS = (("/", "Phone"), ("/texts", "Texts"), ("/mails", "Mails"), ("/calendars", "Calendars"), ("/crm", "CRM"), ("/slack", "Slack"))

_STYLE = """
:root{color-scheme:light dark;
--ground:light-dark(#f6f6f4,#15161a);--card:light-dark(#fff,#1e2026);--ink:light-dark(#1c1d21,#ececf0);
--soft:light-dark(#6b6e76,#9a9da8);--line:light-dark(#e4e4e0,#2e313a);--accent:light-dark(#2f5bd7,#7ea0ff);
--good:light-dark(#1f8a55,#4cc38a);--bad:light-dark(#c8382e,#ff7b72);--warn:light-dark(#a86a00,#e3b341)}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header{display:flex;align-items:baseline;gap:24px;padding:14px 24px;border-bottom:1px solid var(--line);
background:var(--card);position:sticky;top:0;z-index:2}
header b{font-weight:650;letter-spacing:-.01em}header b span{color:var(--soft);font-weight:450}
nav{display:flex;gap:4px;flex-wrap:wrap}
nav a{color:var(--soft);text-decoration:none;padding:4px 10px;border-radius:8px}
nav a:hover{color:var(--ink)}nav a[aria-current]{color:var(--ink);background:var(--ground);font-weight:550}
main{max-width:1080px;margin:0 auto;padding:24px}
h1{font-size:22px;letter-spacing:-.02em;margin:0 0 4px}h2{font-size:16px;margin:0 0 8px}
.soft{color:var(--soft)}.small{font-size:13px}.mono{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:16px 18px;margin:0 0 14px;
overflow-wrap:anywhere}
.grid{display:grid;gap:14px;align-items:start;grid-template-columns:repeat(auto-fill,minmax(300px,1fr))}
.row{display:flex;gap:10px;align-items:center;flex-wrap:wrap}.between{justify-content:space-between}
.tag{display:inline-block;padding:1px 9px;border-radius:99px;font-size:12.5px;border:1px solid var(--line);color:var(--soft)}
.tag.good{color:var(--good);border-color:currentColor}.tag.bad{color:var(--bad);border-color:currentColor}
.tag.warn{color:var(--warn);border-color:currentColor}.tag.live{color:var(--accent);border-color:currentColor}
button{font:inherit;border:1px solid var(--line);background:var(--ground);color:var(--ink);border-radius:9px;
padding:6px 14px;cursor:pointer}button:hover{border-color:var(--soft)}
button.go{background:var(--good);border-color:var(--good);color:var(--card)}
button.stop{background:var(--bad);border-color:var(--bad);color:var(--card)}
input,select{font:inherit;color:var(--ink);background:var(--ground);border:1px solid var(--line);border-radius:9px;
padding:6px 10px;min-width:0}input.wide{flex:1}
button:focus-visible,input:focus-visible,select:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;width:100%}th{text-align:left;color:var(--soft);font-weight:500;font-size:13px}
td,th{padding:7px 10px 7px 0;border-bottom:1px solid var(--line);vertical-align:top}
.says{display:flex;flex-direction:column;gap:6px;margin:10px 0;max-height:46vh;overflow:auto}
.say{max-width:84%;padding:7px 12px;border-radius:14px 14px 4px 14px;align-self:flex-end;
background:color-mix(in srgb,var(--accent) 16%,var(--card))}
.say.us{align-self:flex-start;background:var(--ground);border-radius:14px 14px 14px 4px}
main a{color:var(--accent)}
.say.cut{opacity:.65}.empty{color:var(--soft);padding:36px 0;text-align:center}
@keyframes ring{50%{opacity:.35}}.ringing{animation:ring 1s infinite}
@media (prefers-reduced-motion:reduce){.ringing{animation:none}}
"""

_SCRIPT = """
const $=(s,r=document)=>r.querySelector(s);
const h=(s)=>String(s??'').replace(/[&<>"']/g,c=>({'&':'&amp;','<':'&lt;','>':'&gt;','"':'&quot;',"'":'&#39;'}[c]));
const linked=(s)=>h(s).replace(/https?:\\/\\/[^\\s<]+/g,u=>`<a href="${u}" target="_blank" rel="noopener">${u}</a>`);
const post=(u,b)=>fetch(u,{method:'POST',headers:{'content-type':'application/json'},body:JSON.stringify(b||{})})
 .then(async r=>{if(!r.ok)alert((await r.json().catch(()=>({}))).error||r.statusText);return r});
const clock=(t)=>t?new Date(t).toLocaleTimeString():'';
function live(url,draw,every=700){let last='';
 const go=async()=>{try{const r=await fetch(url);const t=await r.text();if(t!==last){last=t;draw(JSON.parse(t))}
  document.body.classList.remove('away')}catch(e){document.body.classList.add('away')}setTimeout(go,every)};go()}
"""


def page(title: str, body: str, here: str = "") -> str:
    """A whole HTML page in the sandbox's look. ``body`` is HTML; ``here`` the path of the current link, by default
    the one whose name is ``title``.

    Its script offers ``$`` (querySelector), ``h`` (escape), ``linked`` (escape and link), ``post(url, object)``,
    ``clock(iso)`` and ``live(url, draw, ms)``, which calls ``draw(json)`` whenever the JSON at ``url`` changes."""
    links = "".join(
        f'<a href="{path}"{" aria-current=page" if here == path or (not here and name == title) else ""}>{name}</a>'
        for path, name in LINKS
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{escape(title)} · Sandbox</title><link rel="icon" href="data:,"><style>{_STYLE}</style>'
        f"<script>{_SCRIPT}</script><header><b>Showrate <span>sandbox</span></b><nav>{links}</nav></header>"
        f"<main>{body}</main></html>"
    )
