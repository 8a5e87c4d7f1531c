# SPDX-License-Identifier: Apache-2.0
"""A line chart as SVG, by hand: x linear or logarithmic, y from zero, a name at the end of each line. Colours hold on
light and dark pages; the page shows through."""
import dataclasses
import html
import math

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 48, 56
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .line { fill: none; stroke-width: 2.5; stroke-linejoin: round }
  .s0 { stroke: #0969da } .s1 { stroke: #bc4c00 } .s2 { stroke: #6e7781 }
  .f0 { fill: #0969da } .f1 { fill: #bc4c00 } .f2 { fill: #6e7781 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .grid { stroke: #3d444d }
    .s0 { stroke: #4493f8 } .s1 { stroke: #f0883e } .s2 { stroke: #9198a1 }
    .f0 { fill: #4493f8 } .f1 { fill: #f0883e } .f2 { fill: #9198a1 }
  }
"""


@dataclasses.dataclass
class Line:
    name: str
    points: list  # of (x, y)


def short(number):
    """1000 as 1 k."""
    for size, unit in ((10**6, " M"), (10**3, " k")):
        if number >= size:
            return f"{number / size:g}{unit}"
    return f"{number:g}"


def _step(top):
    """A round distance between four to eight grid lines."""
    rough = top / 6
    power = 10 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def _spread(places, gap=17):
    """Names at these heights, moved apart so that none covers another."""
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = list(places)
    for before, after in zip(order, order[1:]):
        moved[after] = max(moved[after], moved[before] + gap)
    return moved


def chart(title, x_title, y_title, lines, scale=math.log):
    xs = sorted({x for line in lines for x, _ in line.points})
    step = _step(max(y for line in lines for _, y in line.points))
    top = step * math.ceil(max(y for line in lines for _, y in line.points) / step)
    low, span = scale(xs[0]), scale(xs[-1]) - scale(xs[0])

    def at_x(x):
        return LEFT + (scale(x) - low) / span * (WIDTH - LEFT - RIGHT)

    def at_y(y):
        return HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM)

    def text(x, y, words, anchor="middle", extra=""):
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{html.escape(words)}</text>'

    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
           f'role="img" aria-label="{html.escape(title)}">', f"<style>{STYLE}</style>",
           text(LEFT, 24, title, "start", ' class="title"'), text((LEFT + right) / 2, HEIGHT - 12, x_title),
           text(16, (TOP + floor) / 2, y_title, extra=f' transform="rotate(-90 16 {(TOP + floor) / 2:.1f})"')]
    for i in range(round(top / step) + 1):
        y = at_y(i * step)
        out += [f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>',
                text(LEFT - 8, y + 4, f"{i * step:g}", "end")]
    for x in xs:
        out += [f'<line class="grid" x1="{at_x(x):.1f}" x2="{at_x(x):.1f}" y1="{floor}" y2="{floor + 5}"/>',
                text(at_x(x), floor + 20, short(x))]
    names = _spread([at_y(line.points[-1][1]) for line in lines])
    for number, (line, height) in enumerate(zip(lines, names)):
        path = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in line.points)
        out.append(f'<polyline class="line s{number}" points="{path}"/>')
        out += [f'<circle class="f{number}" cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3.5"/>' for x, y in line.points]
        out.append(text(right + 10, height + 4, line.name, "start"))
    return "\n".join([*out, "</svg>", ""])
