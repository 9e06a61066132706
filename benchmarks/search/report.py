"""The figures as Markdown and as a plot (SVG, log scale) for docs/."""

from __future__ import annotations

from math import ceil, floor, log10
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
_BEGIN, _END = "<!-- figures: begin -->", "<!-- figures: end -->"
_ROWS = (
    ("build", "build", "spans → bitmaps, with the calendars"),
    ("cold", "cold", "bitmaps → the complete set"),
    ("update", "update", "one booking, until the next search is warm"),
    ("apply", "apply", "what of update comes before the search"),
    ("warm", "warm", "from role masks"),
    ("list", "list", "bitmap → starts with times"),
    ("top20", "top 20", "with resources"),
    ("top20_after", "top 20 after a booking", "the change included"),
    ("next_free", "next free time", "from role masks"),
    ("c_cold", "C kernel, cold", ""),
    ("c_warm", "C kernel, warm", ""),
)
_TARGETS = (
    ("cold ÷ C kernel", "cold_to_c", "≤", 10.0),
    ("warm ÷ C kernel", "warm_to_c", "≤", 10.0),
    ("cold ÷ update", "cold_to_update", "≥", 20.0),
    ("cal.com ÷ cold", "calcom", "≥", 1000.0),
    ("cal.com ÷ (build + cold + list)", "calcom_with_build", "≥", 100.0),
    ("SQL ÷ cold", "sql", "≥", 100.0),
    ("top 20, µs", "top20", "≤", 1000.0),
    ("explain with cures, ms", "call_ms", "≤", 1000.0),
    ("region, MB", "rss_mb", "≤", 500.0),
    ("region, search p99, µs", "p99_us", "≤", 2000.0),
)


def rounded(found: Any) -> Any:
    """Give the same with numbers of four digits."""
    if isinstance(found, dict):
        return {key: rounded(value) for key, value in found.items()}
    if isinstance(found, float) and found:
        return round(found, max(0, 3 - floor(log10(abs(found)))))
    return found


def markdown(found: dict[str, Any]) -> str:
    """Give the tables."""
    sizes: dict[str, dict[str, float]] = found["sizes"]
    lines = [f"| µs | {' | '.join(sizes)} | |", "|---|" + "---:|" * len(sizes) + "---|"]
    for key, name, what in _ROWS:
        cells = [number(row.get(f"{key}_us")) for row in sizes.values()]
        lines.append(f"| {name} | {' | '.join(cells)} | {what} |")
    lines += ["", "| to reach | is | should be | |", "|---|---:|---:|---|"]
    given = dict(found.get("ratios", {}))
    if "50x30" in sizes or len(sizes) == 1:
        given["top20"] = sizes[max(sizes, key=lambda name: name == "50x30")]["top20_us"]
    given["call_ms"] = found.get("explain", {}).get("call_ms")
    given.update(found.get("region", {}))
    for name, key, sign, goal in _TARGETS:
        lines.append(_target(name, given.get(key), sign, goal))
    if found["peers"]:
        lines += ["", "| beside it, ms | before | search | times `cold` |", "|---|---:|---:|---:|"]
    for name, peer in found["peers"].items():
        before, search = number(peer["prepare_us"] / 1e3), number(peer["us"] / 1e3)
        lines.append(f"| {name} | {before} | {search} | {number(found['ratios'][name])} |")
    if "bookings" in found:
        lines += ["", "| taken, 50 × 30 | cold µs | warm µs |", "|---|---:|---:|"]
        for name, row in found["bookings"].items():
            lines.append(f"| {name} | {number(row['cold_us'])} | {number(row['warm_us'])} |")
    if "region" in found:
        lines += ["", f"| region of {number(found['region']['resources'])} resources | |"]
        lines += ["|---|---:|"]
        lines += [f"| {k} | {number(v)} |" for k, v in found["region"].items() if k != "resources"]
    if "explain" in found:
        lines += ["", _explained(found["explain"])]
    lines += ["", *(f"- {note}" for note in found["notes"])]
    machine = ", ".join(f"{key} {value}" for key, value in found["machine"].items())
    lines.append(f"- Machine: {machine}. Other programs ran beside it: medians, and still noisy.")
    return "\n".join(lines) + "\n"


def number(value: float | None) -> str:
    """Give a number as people read it."""
    if value is None:
        return "–"
    if value and abs(value) < 100:
        return f"{value:.3g}"
    return f"{value:,.0f}"


def write(found: dict[str, Any]) -> None:
    """Put the tables into docs/search.md between its marks, and draw docs/search.svg."""
    page = DOCS / "search.md"
    text = page.read_text()
    before, rest = text.split(_BEGIN)
    after = rest.split(_END)[1]
    page.write_text(f"{before}{_BEGIN}\n{markdown(found)}{_END}{after}")
    (DOCS / "search.svg").write_text(plot(found))


def plot(found: dict[str, Any]) -> str:
    """Draw every figure of the main size and every peer as a bar on a log scale."""
    size = max(found["sizes"], key=lambda name: name == "50x30")
    row = found["sizes"][size]
    bars = [(name, row[f"{key}_us"], key) for key, name, _ in _ROWS if f"{key}_us" in row]
    bars += [(name, peer["us"], "peer") for name, peer in found["peers"].items()]
    bars.sort(key=lambda bar: bar[1])
    low, high = floor(log10(bars[0][1])), ceil(log10(bars[-1][1]))
    left, wide, step, top = 190, 560, 26, 60
    bottom = top + step * len(bars)

    def x(us: float) -> float:
        return left + wide * (log10(us) - low) / (high - low)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 {bottom + 44}" '
        'font-family="sans-serif" font-size="13" role="img" aria-labelledby="t">',
        f'<title id="t">Slot search, {size}: microseconds, logarithmic</title>',
        f'<rect width="860" height="{bottom + 44}" fill="white"/>',
        f'<text x="16" y="28" font-size="16">Slot search, {size} clinicians × rooms, 90 days, '
        "75 % booked (log scale)</text>",
    ]
    for power in range(low, high + 1):
        at = x(10.0**power)
        out.append(f'<line x1="{at:.0f}" y1="44" x2="{at:.0f}" y2="{bottom}" stroke="#ddd"/>')
        out.append(
            f'<text x="{at:.0f}" y="{bottom + 20}" text-anchor="middle">{_unit(power)}</text>'
        )
    for number_, (name, us, key) in enumerate(bars):
        y = top + step * number_
        colour = {"peer": "#b5651d", "c_cold": "#777", "c_warm": "#777"}.get(key, "#1f5fa8")
        out.append(f'<text x="{left - 8}" y="{y + 5}" text-anchor="end">{name}</text>')
        out.append(
            f'<rect x="{left}" y="{y - 9}" width="{max(2.0, x(us) - left):.0f}" height="18" '
            f'fill="{colour}"/>'
        )
        out.append(f'<text x="{x(us) + 6:.0f}" y="{y + 5}">{_time(us)}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def _explained(row: dict[str, float]) -> str:
    return (
        f"`explain` of an answer that is empty, 50 × 30, on a loaded index: what each rule leaves, "
        f"what blocks one start, and the cures: {number(row['single_ms'])} ms where one loosening "
        f"helps, {number(row['pair_ms'])} ms where only two together do. Reading the clinic file "
        f"before it ({number(row['file_mb'])} MB, {number(row['rows'])} rows of what is taken) "
        f"makes {number(row['with_loading_s'])} s of it."
    )


def _target(name: str, value: float | None, sign: str, goal: float) -> str:
    if value is None:
        return f"| {name} | – | {sign} {number(goal)} | not measured |"
    met = value <= goal if sign == "≤" else value >= goal
    return (
        f"| {name} | {number(value)} | {sign} {number(goal)} | {'met' if met else '**missed**'} |"
    )


def _unit(power: int) -> str:
    return _time(10.0**power)


def _time(us: float) -> str:
    for factor, unit in ((1e6, "s"), (1e3, "ms"), (1.0, "µs")):
        if us >= factor:
            return f"{us / factor:.3g} {unit}"
    return f"{us * 1e3:.3g} ns"
