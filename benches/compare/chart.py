"""Small multiples as plain SVG: both axes logarithmic, a line an engine, a gap where a value is missing.

Colours are Okabe and Ito's, which the colour-blind tell apart, and each engine has a mark of its own shape besides. The
picture follows the reader's light or dark theme.
"""

import dataclasses
import html
import math

COLUMNS, WIDTH, HEIGHT = 4, 270, 220
LEFT, RIGHT, TOP, BOTTOM = 54, 16, 48, 30
STYLE = """
svg { --ink: #1f2328; --soft: #59636e; --grid: #d8dee4; --c0: #0072b2; --c1: #b86e00; --c2: #00805c; color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #f0f6fc; --soft: #9198a1; --grid: #30363d; --c0: #56b4e9; --c1: #e69f00; --c2: #2bc79a; }
}
text { font: 11px system-ui, sans-serif; fill: var(--soft); }
.title { font-size: 13px; font-weight: 600; fill: var(--ink); }
.name { font-size: 13px; fill: var(--ink); }
.grid { stroke: var(--grid); stroke-width: 1; }
.fine { stroke: var(--grid); stroke-width: 0.5; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
"""
STYLE += "".join(f".e{n} {{ stroke: var(--c{n}); }} .m{n} {{ fill: var(--c{n}); }}\n" for n in range(3))


@dataclasses.dataclass
class Panel:
    """`beside`: keys of the panels that have the same axis, so that they can be read across."""

    key: str
    title: str
    unit: str
    beside: tuple = ()


def short(value):
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


class Scale:
    """Logarithms of `low` … `high` on pixels `first` … `last`."""

    def __init__(self, low, high, first, last):
        self.low, self.high, self.first, self.last = math.log10(low), math.log10(high), first, last

    def __call__(self, value):
        part = (math.log10(value) - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.first + part * (self.last - self.first)


def ticks(low, high):
    """1, 2 and 5 of each decade within, and one beyond at each end; which of them bear a number: all, or of many the decades."""
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    found = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
    first = max(n for n, tick in enumerate(found) if tick <= low * 1.000001)
    last = min(n for n, tick in enumerate([*found, math.inf]) if tick >= high * 0.999999)
    found = found[min(first, last - 1) : last + 1]
    return found, found if len(found) <= 7 else [tick for tick in found if f"{tick:e}".startswith("1.0")]


def mark(n, x, y, told):
    shapes = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="m{n}">',
        f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7" class="m{n}">',
        f'<path d="M{x:.1f} {y - 4.5:.1f}l4.5 8h-9z" class="m{n}">',
    ]
    shape = shapes[n % len(shapes)]
    return f"{shape}<title>{html.escape(told)}</title></{shape[1:].split()[0]}>"


def text(x, y, what, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{html.escape(what)}</text>'


def runs(values):
    """Points that stand beside each other without a gap."""
    found = [[]]
    for point in values:
        if point[1]:
            found[-1].append(point)
        elif found[-1]:
            found.append([])
    return [run for run in found if run]


def draw(panel, names, points):
    """One panel, with its corner at 0, 0."""
    values = {name: [(n, engines.get(name, {}).get(panel.key)) for n, engines in points.items()] for name in names}
    keys = panel.beside or (panel.key,)
    shown = [value for engines in points.values() for of in engines.values() for key in keys if (value := of.get(key))]
    parts = [text(8, 18, panel.title, "title"), text(8, 34, panel.unit)]
    if not shown:
        return parts
    x = Scale(min(points), max(points), LEFT + 10, WIDTH - RIGHT - 10)
    lines, numbered = ticks(min(shown), max(shown))
    y = Scale(lines[0], lines[-1], HEIGHT - BOTTOM, TOP)
    for tick in lines:
        kind = "grid" if tick in numbered else "fine"
        parts.append(f'<path d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}" class="{kind}"/>')
    parts += [text(LEFT - 6, y(tick) + 4, short(tick), anchor="end") for tick in numbered]
    parts += [text(x(n), HEIGHT - BOTTOM + 16, short(n), anchor="middle") for n in points]
    for number, (name, line) in enumerate(values.items()):
        for run in runs(line):
            path = "L".join(f"{x(n):.1f} {y(value):.1f}" for n, value in run)
            parts.append(f'<path d="M{path}" class="line e{number}"/>')
            parts += [mark(number, x(n), y(value), f"{name}, {short(n)} events: {short(value)}") for n, value in run]
    return parts


def legend(names):
    parts = [text(8, 18, "Events, from left to right", "title"), text(8, 34, "logarithmic axes; a gap was not measured")]
    for n, name in enumerate(names):
        y = 66 + 26 * n
        parts += [f'<path d="M10 {y}H50" class="line e{n}"/>', mark(n, 30, y, name), text(62, y + 4.5, name, "name")]
    return parts


def svg(panels, points):
    """`points`: by number of events, by engine, by panel's key."""
    names = list(dict.fromkeys(name for engines in points.values() for name in engines))
    cells = [*[draw(panel, names, points) for panel in panels], legend(names)]
    rows = -(-len(cells) // COLUMNS)
    size = f'width="{COLUMNS * WIDTH}" height="{rows * HEIGHT}" viewBox="0 0 {COLUMNS * WIDTH} {rows * HEIGHT}"'
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">', "<title>How the engines grow with the events</title>"]
    out += [f"<style>{STYLE}</style>"]
    for n, parts in enumerate(cells):
        corner = f"translate({n % COLUMNS * WIDTH} {n // COLUMNS * HEIGHT})"
        out += [f'<g transform="{corner}">', *parts, "</g>"]
    return "\n".join([*out, "</svg>"]) + "\n"
