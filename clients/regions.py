"""States and provinces as people write them, in one spelling: ISO 3166-2 (``US-CA``).

Source: ISO 3166-2:US and ISO 3166-2:CA (postal abbreviations, USPS Publication 28 appendix B).
"""

from __future__ import annotations

_UNITED_STATES = (
    "AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|"
    "DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|"
    "KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|"
    "MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|"
    "NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|PR Puerto Rico|"
    "RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia|"
    "WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming|AS American Samoa|GU Guam|"
    "MP Northern Mariana Islands|VI Virgin Islands"
)
_CANADA = (
    "AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|NL Newfoundland and Labrador|NS Nova Scotia|"
    "NT Northwest Territories|NU Nunavut|ON Ontario|PE Prince Edward Island|QC Quebec|SK Saskatchewan|YT Yukon"
)


def _spellings(country: str, table: str) -> dict[str, str]:
    known: dict[str, str] = {}
    for row in table.split("|"):
        code, _, name = row.partition(" ")
        for spelling in (code, name, f"{country}-{code}"):
            known[spelling.lower()] = f"{country}-{code}"
    return known


_KNOWN = {"CA": _spellings("CA", _CANADA), "US": _spellings("US", _UNITED_STATES)}


def region_code(text: str, country: str = "US") -> str:
    """``text`` (``CA``, ``California``, ``us-ca``) as an ISO 3166-2 code, empty when it names none. ``country``
    (ISO 3166) decides between equal spellings; names of the other country are understood too."""
    wanted = " ".join(text.replace(".", "").split()).lower()
    order = [country, *(c for c in ("US", "CA") if c != country)]
    return next((_KNOWN[c][wanted] for c in order if c in _KNOWN and wanted in _KNOWN[c]), "")


_ZIPS = (
    "005-005 NY|006-007 PR|008-008 VI|009-009 PR|010-027 MA|028-029 RI|030-038 NH|039-049 ME|050-054 VT|"
    "055-055 MA|056-059 VT|060-069 CT|070-089 NJ|100-149 NY|150-196 PA|197-199 DE|200-200 DC|201-201 VA|"
    "202-205 DC|206-219 MD|220-246 VA|247-268 WV|270-289 NC|290-299 SC|300-319 GA|320-339 FL|341-342 FL|"
    "344-344 FL|346-347 FL|349-349 FL|350-369 AL|370-385 TN|386-397 MS|398-399 GA|400-427 KY|430-459 OH|"
    "460-479 IN|480-499 MI|500-528 IA|530-549 WI|550-567 MN|570-577 SD|580-588 ND|590-599 MT|600-629 IL|"
    "630-658 MO|660-679 KS|680-693 NE|700-714 LA|716-729 AR|730-732 OK|733-733 TX|734-749 OK|750-799 TX|"
    "800-816 CO|820-831 WY|832-838 ID|840-847 UT|850-865 AZ|870-884 NM|885-885 TX|889-898 NV|900-961 CA|"
    "967-968 HI|969-969 GU|970-979 OR|980-994 WA|995-999 AK"
)
"""First three digits of a ZIP code -> state. Source: USPS Domestic Mail Manual L002, 3-digit ZIP code prefixes."""

_ZIP_STATES = {
    prefix: row[8:]
    for row in _ZIPS.split("|")
    for prefix in range(int(row[:3]), int(row[4:7]) + 1)
}


def zip_region(text: str) -> str:
    """The state (``US-CA``) of a US ZIP or ZIP+4 code, empty when ``text`` is none."""
    digits = text.strip().replace("-", "").replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) in (5, 9)):
        return ""
    state = _ZIP_STATES.get(int(digits[:3]), "")
    return f"US-{state}" if state else ""
