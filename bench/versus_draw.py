"""Draws the ratios of bench/versus as an SVG: a bar a row, in groups, the line is 1."""
import html

# No variables of CSS: not every viewer of SVG has them.
STYLE = """text{font:13px sans-serif;fill:#222} .bg{fill:#fff} text.soft{fill:#666}
.end{text-anchor:end} .mid{text-anchor:middle} .head{font-weight:600} line{stroke:#bbb}
.bar{fill:#2a78b5} .slow{fill:#c0622d}
@media(prefers-color-scheme:dark){text{fill:#ddd} .bg{fill:#16191d} text.soft{fill:#999}
line{stroke:#555} .bar{fill:#5aa9e6} .slow{fill:#e08a55}}"""
WIDTH, LEFT, WIDE, STEP, THICK = 690, 160, 340, 20, 14  # pixels
MOST = 1.25  # ratio at the right edge; what is longer ends in a point
GROUPS = [  # title, which rows
    ("INT8, one row, one thread", lambda r: r["kind"] == "int8"),
    ("FP32, one row, one thread", lambda r: r["kind"] == "fp32" and r["threads"] == 1),
    ("FP32, a batch, two threads", lambda r: r["kind"] == "fp32" and r["threads"] > 1),
    ("trees, one row", lambda r: r["kind"] == "trees" and r["batch"] == 1),
    ("trees, a batch", lambda r: r["kind"] == "trees" and r["batch"] > 1),
]


def bar(y, ratio):
    """A rectangle, or where the ratio is off the scale a shape that ends in a point."""
    slow = " slow" if ratio > 1 else ""
    if ratio <= MOST:
        return (f'<rect x="{LEFT}" y="{y}" width="{ratio / MOST * WIDE:.1f}" height="{THICK}" '
                f'class="bar{slow}"/>')
    end = LEFT + WIDE
    return (f'<path d="M{LEFT} {y}H{end - 8}L{end} {y + THICK / 2}L{end - 8} {y + THICK}H{LEFT}Z" '
            f'class="bar{slow}"/>')


def text(x, y, content, kind=""):
    return f'<text x="{x}" y="{y}" class="{kind}">{html.escape(content)}</text>'


def groups(results, peer_names, y):
    """The lines of all groups and the y below them."""
    out = []
    for title, belongs in GROUPS:
        rows = [r for r in results if r["ratio"] is not None and belongs(r)]
        if not rows:
            continue
        out.append(text(12, y + 12, title, "head"))
        y += STEP + 2
        for r in rows:
            out += [text(LEFT - 8, y + 12, r["model"], "end"), bar(y, r["ratio"]),
                    text(LEFT + WIDE + 10, y + 12, f"{r['ratio']:.2f}"),
                    text(LEFT + WIDE + 48, y + 12, peer_names[r["best_peer"]], "soft")]
            y += STEP
        y += 10
    return out, y


def drawing(results, peer_names, about):
    """The whole file. about: one line on machine and run."""
    line = LEFT + WIDE / MOST
    top = 62
    lines, bottom = groups(results, peer_names, top + 8)
    height = bottom + 8
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>Time of a call, nearfar / best peer</title><desc>{html.escape(about)}</desc>",
        f'<style>{STYLE}</style><rect width="{WIDTH}" height="{height}" class="bg" rx="8"/>',
        text(12, 22, "time of a call, nearfar / best peer (shorter is faster)", "head"),
        text(12, 40, about, "soft"),
        text(f"{line:.1f}", top - 4, "1", "mid soft"),
        f'<line x1="{line:.1f}" y1="{top}" x2="{line:.1f}" y2="{bottom - 6}"/>',
        *lines]) + "</svg>\n"
