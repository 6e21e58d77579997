"""A bar for each gateway: CPU a request, the least at the top. SVG without fonts or scripts of its own."""

from html import escape

from table import Results, number

WIDTH, LABEL, BAR, GAP = 760, 250, 22, 8
COLOURS = {"tollgate": "#0b7285", "nothing": "#adb5bd"}
OTHER = "#e8590c"


def write(folder):
    results = Results(folder / "results.json")
    names = results.names("cpu")
    if not names:
        return
    medians = {name: results.median("cpu", name, "cpu_us") for name in names}
    names.sort(key=medians.get)
    most = max(value for name in names for value in results.values("cpu", name, "cpu_us"))
    unit = (WIDTH - LABEL - 50) / most
    bars = [bar(results, name, medians[name], unit, 40 + at * (BAR + GAP)) for at, name in enumerate(names)]
    height = 40 + len(names) * (BAR + GAP) + 30
    title = "CPU microseconds a request, one worker: less is better"
    legend = "grey: checks nothing · orange: verifies a token · line: least to most of the rounds"
    (folder / "cpu.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">'
        f'<rect width="100%" height="100%" fill="#ffffff"/><text x="10" y="24" font-size="15">{title}</text>'
        f'{"".join(bars)}<text x="10" y="{height - 10}" fill="#495057">{legend}</text></svg>\n')


def bar(results, name, middle, unit, top):
    checks = results.checks(name)
    colour = COLOURS.get(name) or COLOURS.get(checks, OTHER)
    label = name if checks in name or checks == "nothing" else f"{name}, {checks}"
    values = results.values("cpu", name, "cpu_us")
    low, high = (LABEL + value * unit for value in (min(values), max(values)))
    line = top + BAR / 2
    return (
        f'<text x="{LABEL - 8}" y="{top + 16}" text-anchor="end">{escape(label)}</text>'
        f'<rect x="{LABEL}" y="{top}" width="{middle * unit:.1f}" height="{BAR}" fill="{colour}"/>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{line}" y2="{line}" stroke="#212529"/>'
        f'<text x="{max(high, LABEL + middle * unit) + 6:.1f}" y="{top + 16}">{number(middle)}</text>')
