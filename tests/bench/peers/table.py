"""The table in Markdown, from results.json: medians, the least and the most, and who is ahead of tollgate."""

import json
import statistics

BEGIN, END = "<!-- peers: written by tests/bench/peers.sh --readme -->", "<!-- peers: end -->"
COLUMNS = [
    ("cpu", "cpu_us", "CPU µs a request"), ("cpu", "rps", "requests/s"), ("instructions", "instructions", "instructions"),
    ("latency", "p50_us", "p50 µs at 4,000/s"), ("h2", "h2_cpu_us", "CPU µs, HTTP/2"), ("memory", "idle_kib", "KiB, idle"),
    ("memory", "idle_tls_kib", "KiB, idle TLS"),
]
LESS_IS_BETTER = {"cpu_us", "instructions", "p50_us", "h2_cpu_us", "idle_kib", "idle_tls_kib"}
NOTES = {
    "pingap HS256": "pingap has no means to check issuer, audience or product.",
    "tollgate": "tollgate also signs an assertion, counts, and writes a log line for each request; the others log nothing.",
}
STARTS = [
    ("start_ms", "start to the first answer", 1), ("p99_us", "p99 at 4,000/s", 1000),
    ("p99_reload_us", "p99 at 4,000/s, with a reload in their midst", 1000),
]
# Closer than that, two medians of this machine are the same.
EQUAL = 0.05


class Results:
    """What was measured, by part, row and figure."""

    def __init__(self, file):
        told = json.loads(file.read_text())
        self.machine, self.rows = told["machine"], told["rows"]

    def names(self, part):
        return list(dict.fromkeys(row["name"] for row in self.rows if row["part"] == part))

    def values(self, part, name, figure):
        return [row[figure] for row in self.rows if (row["part"], row["name"]) == (part, name) and figure in row]

    def factor(self, part, name, other, figure):
        """`name`'s figure over `other`'s: the median of what each round gives that has both."""
        own, others = (
            {row["round"]: row[figure] for row in self.rows if (row["part"], row["name"]) == (part, who) and figure in row}
            for who in (name, other))
        factors = [own[number] / others[number] for number in own.keys() & others.keys() if others[number]]
        return statistics.median(factors) if factors else None

    def median(self, part, name, figure):
        values = self.values(part, name, figure)
        return statistics.median(values) if values else None

    def checks(self, name):
        return next(row["checks"] for row in self.rows if row["name"] == name and row["part"] not in ("scale", "start"))

    def dates(self):
        return " and ".join(sorted({row["date"] for row in self.rows}))

    def rounds(self, part="cpu"):
        return 1 + max((row["round"] for row in self.rows if row["part"] == part), default=-1)


def write(folder, readme):
    results = Results(folder / "results.json")
    text = markdown(results)
    (folder / "table.md").write_text(text)
    if readme:
        before, rest = readme.read_text().split(BEGIN)
        plot = "![CPU a request, the least at the top](tests/bench/results/cpu.svg)"
        readme.write_text(f"{before}{BEGIN}\n{plot}\n\n{text}{END}{rest.split(END)[1]}")
    print(f"\n{text}")


def markdown(results):
    machine = results.machine
    names = sorted(results.names("cpu"), key=lambda name: results.median("cpu", name, "cpu_us"))
    lines = [
        "| gateway | checks | " + " | ".join(title for *_, title in COLUMNS) + " |", "|---" * (2 + len(COLUMNS)) + "|",
        *(row(results, name) for name in names), "",
        f"{machine['cpu']}, {machine['cpus']} virtual processors, {machine['system']}, {results.dates()}; one worker on one of "
        f"them, load and upstream on the other; 64 kept-alive connections, 1 KiB answers, 1,000 tokens in turn (HTTP/2: one). "
        f"Medians of {results.rounds()} interleaved rounds, least and most in brackets.", "",
        *(NOTES[name] for name in names if name in NOTES), "", *ahead(results), *scale(results), *start(results)]
    return "\n".join(lines) + "\n"


def row(results, name):
    cells = [f"**{name}**" if name == "tollgate" else name, results.checks(name)]
    for part, figure, _ in COLUMNS:
        values = results.values(part, name, figure)
        cell = number(statistics.median(values)) if values else ""
        if figure == "cpu_us":
            cell += f" ({number(min(values))}–{number(max(values))})"
        cells.append(cell)
    return f"| {' | '.join(cells)} |"


def number(value):
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def ahead(results):
    """Who is ahead of tollgate, said for every column."""
    lines = []
    for part, figure, title in COLUMNS:
        others = [name for name in results.names(part) if name != "tollgate"]
        factors = {name: factor for name in others if (factor := results.factor(part, "tollgate", name, figure))}
        if figure not in LESS_IS_BETTER or not factors:
            continue
        told = [f"{name} (checks {results.checks(name)}) by {factor:.2f}" for name, factor in factors.items() if factor > 1 + EQUAL]
        first = f"ahead of tollgate are {', '.join(told)}" if told else "none of them is ahead of tollgate"
        each = ", ".join(f"{name} {factor:.2f}" for name, factor in sorted(factors.items(), key=lambda one: -one[1]))
        lines.append(f"- {title}: {first}. Over {each}.")
    if not lines:
        return []
    what = "The factors are tollgate's figure over the other's in the same round, their median"
    return [f"{what}; closer than {EQUAL:.0%} counts as equal.", "", *lines, ""]


def scale(results):
    usual = results.median("scale", "usual", "cpu_us")
    if usual is None:
        return []
    lines = ["| tollgate with | CPU µs a request | over the usual |", "|---|---|---|"]
    for name in results.names("scale"):
        values = results.values("scale", name, "cpu_us")
        middle, factor = statistics.median(values), results.factor("scale", name, "usual", "cpu_us")
        lines.append(f"| {name} | {number(middle)} ({number(min(values))}–{number(max(values))}) | {factor:.2f} |")
    return lines


def start(results):
    name = next(iter(results.names("start")), None)
    if name is None:
        return []
    lines = ["", f"| tollgate with {name} | |", "|---|---|"]
    for figure, title, unit in STARTS:
        values = [value / unit for value in results.values("start", name, figure)]
        lines.append(f"| {title} | {statistics.median(values):.2f} ms ({min(values):.2f}–{max(values):.2f}) |")
    return lines
