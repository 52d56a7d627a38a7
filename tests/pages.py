"""The page of a report as its script leaves it: the rows that are kept compressed, in their places."""

from __future__ import annotations

import base64
import gzip
import json
import re

ROWS = re.compile(r'<script type="text/plain" id="rows">([A-Za-z0-9+/=]*)</script>\n')


def unfolded(page: str) -> str:
    """The page with all of its rows; each is put in its place once."""
    (found,) = ROWS.findall(page)
    rows = json.loads(gzip.decompress(base64.b64decode(found)))
    text, *parts = re.split(r'<tbody data-rows="(\d+)">\s*(?=</tbody>)', ROWS.sub("", page))
    assert [int(number) for number in parts[::2]] == list(range(len(rows)))
    return text + "".join(f"<tbody>{row}{rest}" for row, rest in zip(rows, parts[1::2], strict=True))
