"""Checks that every relative link and anchor in the committed Markdown resolves.

README.md and CHANGELOG.md must exist. A link must stay inside the repository and name a committed file, or a folder of
one; `#anchor` must be a heading (as GitHub spells it) or an explicit id, and `#L12` a line of the file. Links with a
scheme are left alone: they need a network. Prints each fault as `file:line: what` and exits 1 if there is any.
"""

import posixpath
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
REQUIRED = ("README.md", "CHANGELOG.md")

FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
CODE_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
INLINE = re.compile(r"\]\(\s*(?:<([^>]*)>|([^\s()]*(?:\([^\s()]*\)[^\s()]*)*))(?:\s+[\"'(][^)]*)?\s*\)")
REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)>?")
HTML = re.compile(r"<(?:a|img)\b[^>]*?\b(?:href|src)=[\"']([^\"']*)[\"']", re.I)
HTML_ID = re.compile(r"<[a-z]+\b[^>]*?\b(?:id|name)=[\"']([^\"']+)[\"']", re.I)
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$")
SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.I)
LINES = re.compile(r"^L(\d+)(?:-L(\d+))?$")


def main() -> int:
    files = committed()
    pages = sorted(name for name in files if name.endswith(".md"))
    faults = [f"{name}: missing" for name in REQUIRED if name not in files]
    folders = {parent for name in files for parent in parents(name)}
    links = 0
    for page in pages:
        for number, target in targets(page):
            links += 1
            fault = check(page, target, files, folders)
            if fault:
                faults.append(f"{page}:{number}: {target}: {fault}")
    print("\n".join(faults) if faults else f"{links} links in {len(pages)} pages resolve")
    return 1 if faults else 0


def committed() -> set[str]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return set(filter(None, listing.split("\0")))


def parents(name: str):
    while name:
        name = posixpath.dirname(name)
        yield name or "."


def prose(page: str):
    """The numbered lines of a page outside fenced code, with code spans blanked."""
    fence = None
    for number, line in enumerate((ROOT / page).read_text(encoding="utf-8").splitlines(), 1):
        mark = FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = None
        elif mark:
            fence = mark[1]
        else:
            yield number, line


def targets(page: str):
    for number, line in prose(page):
        line = CODE_SPAN.sub("", line)
        for match in INLINE.finditer(line):
            yield number, match[1] if match[1] is not None else match[2]
        for pattern in (REFERENCE, HTML):
            for match in pattern.finditer(line):
                yield number, match[1]


def check(page: str, target: str, files: set[str], folders: set[str]) -> str | None:
    if SCHEME.match(target):
        return None
    path, _, anchor = target.partition("#")
    path, anchor = unquote(path.partition("?")[0]), unquote(anchor)
    if not path and not anchor:
        return "empty link"
    if path.startswith("/"):
        return "absolute path"
    name = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
    if name.startswith(".."):
        return "leaves the repository"
    if name not in files:
        return None if name in folders and not anchor else "no such committed file"
    return check_anchor(name, anchor) if anchor else None


def check_anchor(name: str, anchor: str) -> str | None:
    if name.endswith(".md"):
        return None if anchor in anchors(name) else "no such heading"
    lines = LINES.match(anchor)
    if not lines:
        return "an anchor into a file that has none"
    count = len((ROOT / name).read_text(encoding="utf-8").splitlines())
    return None if int(lines[2] or lines[1]) <= count else f"the file has {count} lines"


@cache
def anchors(page: str) -> set[str]:
    found: set[str] = set()
    for _, line in prose(page):
        found.update(HTML_ID.findall(line))
        heading = HEADING.match(line)
        if heading:
            found.add(unused(slug(heading[1]), found))
    return found


def slug(heading: str) -> str:
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    text = re.sub(r"<[^>]+>", "", text).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")


def unused(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 0
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


if __name__ == "__main__":
    sys.exit(main())
