"""Reading of pages: what a browser would make of them, and whether others can read them too."""

from __future__ import annotations

import base64
import gzip
import json
import re
from html.parser import HTMLParser

import numpy as np

#: Tags without an end.
VOID = {"meta", "img", "input", "rect", "path", "br", "hr", "link"}


class Page(HTMLParser):
    """The parts of a page: ids, headings, pictures, addresses, fields, tables and their rows."""

    def __init__(self, text):
        super().__init__()
        self.text = text
        self.ids, self.headings, self.pictures, self.addresses = [], [], [], []
        self.fields, self.tables, self.language, self.open = [], [], "", []
        self.words = []
        self.feed(text)
        assert self.open == [], f"these are not closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        self.addresses += [given[name] for name in ("src", "href") if given.get(name)]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "html":
            self.language = given.get("lang", "")
        if tag == "img":
            self.pictures.append(given.get("alt", ""))
        if tag == "svg":
            self.pictures.append(given.get("aria-label") or given.get("aria-hidden", ""))
        if tag in ("input", "button"):
            self.fields.append((tag, "label" in self.open or tag == "button"))
        if tag == "table":
            self.tables.append({"caption": "", "scopes": [], "rows": []})
        if tag == "tr":
            self.tables[-1]["rows"].append([])
        if tag in ("th", "td"):
            self.tables[-1]["rows"][-1].append("")
        if tag == "th":
            self.tables[-1]["scopes"].append(given.get("scope"))

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag, f"{tag} ends, but another tag is open"

    def handle_data(self, data):
        if "script" in self.open or "style" in self.open:
            return
        self.words.append(data)
        if "caption" in self.open:
            self.tables[-1]["caption"] += data
        elif "th" in self.open or "td" in self.open:
            self.tables[-1]["rows"][-1][-1] += data

    @property
    def said(self):
        """All words that can be read."""
        return " ".join(" ".join(self.words).split())

    def rows(self, first):
        """Return the rows of all tables that begin with a text."""
        return [row for table in self.tables for row in table["rows"] if row and row[0] == first]


def assert_readable(page):
    """Check that nothing is loaded, and that readers without eyes or mouse get everything."""
    assert page.language == "en-GB"
    assert "Content-Security-Policy" in page.text
    assert page.text.index("default-src 'none'") > 0
    assert len(set(page.ids)) == len(page.ids)
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    steps = np.diff(page.headings)
    assert (steps <= 1).all(), f"headings leave a level out: {page.headings}"
    assert all(page.pictures), "a picture has no words"
    assert all(labelled for _, labelled in page.fields), "a field has no label"
    for table in page.tables:
        assert table["caption"] or table["rows"]
        assert table["scopes"]
        assert set(table["scopes"]) <= {"row", "col"}
        widths = {len(row) for row in table["rows"]}
        assert len(widths) == 1, f"rows of {widths} cells: {table['caption']}"
    for address in page.addresses:
        inside = address.startswith("#") and address[1:] in page.ids
        assert inside or address.startswith("data:image/png;base64,"), address


def sources(page):
    """Return the arrays of all columns of the figures, by the names of the columns."""
    (text,) = re.findall(r"const docs_json = '(.*)';", page.text)
    # Backslashes and quotes are escaped in a text of JavaScript.
    described = json.loads(re.sub(r"\\(.)", r"\1", text))
    found = {}

    def walk(node):
        if isinstance(node, dict):
            if node.get("type") == "map" and "entries" in node:
                for name, value in node["entries"]:
                    arrays = decoded(value)
                    if isinstance(name, str) and arrays is not None:
                        found.setdefault(name, []).append(arrays)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(described)
    return found


def decoded(value):
    if isinstance(value, list) and value and all(decoded(one) is not None for one in value):
        return [decoded(one) for one in value]
    if not isinstance(value, dict) or value.get("type") != "ndarray":
        return None
    content = base64.b64decode(value["array"]["data"])
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    return np.frombuffer(content, dtype=value["dtype"]).reshape(value["shape"])
