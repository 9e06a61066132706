"""The figures as a table, as a plot (SVG), and as a page for docs/."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Any

from benchmarks.choice.play import CANCELLED, ONE_OF

DOCS = Path(__file__).parents[2] / "docs"
PAGE = Path(__file__).with_name("page.md")
COLUMNS = {
    "tasks": "tasks",
    "first come, %": "fcfs_stranded_pct",
    "guarantee": "guaranteed_stranded",
    "offers": "offers_mean",
    "unsafe, %": "unsafe_pct",
    "undecided, %": "undecided_pct",
    "ten or all, %": "ten_or_all_pct",
    "as found, %": "ten_or_all_found_pct",
    "look p50": "look_p50_ms",
    "p99": "look_p99_ms",
    "tidied": "tidied",
    "plan": "plan_s",
}
QUICK = (
    "**Figures of the short form** (`--quick`): 8 clinicians, 4 rooms, 3 days, where there is "
    "little room for anybody to move aside. Those of the clinic below take some minutes.\n"
)
_NAMES = {"loads": "near weeks fuller", "even": "even"}


def table(found: dict[str, Any]) -> str:
    """Give one line for each setting."""
    lines = [f"| | {' | '.join(COLUMNS)} |", "|---|" + "---:|" * len(COLUMNS)]
    for name, row in rows(found):
        cells = [str(row.get(key, "–")) for key in COLUMNS.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def rows(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Give every setting that was played under the guarantee, by name."""
    out = [
        (f"{said}, {100 * float(load):.0f} %", row)
        for key, said in _NAMES.items()
        for load, row in found[key].items()
    ]
    out += [(name.replace("_", " "), row) for name, row in found["variants"].items()]
    return [(name, row) for name, row in out if "fcfs_stranded_pct" in row]


def write(found: dict[str, Any]) -> None:
    """Write docs/choice.md from its template, and draw docs/choice.svg."""
    (DOCS / "choice.md").write_text(page(found))
    (DOCS / "choice.svg").write_text(plot(found))


def _stranded(count: int, unplaced: int) -> str:
    """Say how many the guarantee left without a time, and when they were told."""
    told = (
        f"{unplaced} for whom the first plan found no place, which is said before any letter leaves"
    )
    if count == unplaced:
        return f"nobody but {told}" if count else "nobody"
    return f"**{count}**, {told} among them"


def page(found: dict[str, Any]) -> str:
    """Give the page with its numbers filled in."""
    everywhere = [row for _, row in rows(found)]
    stranded = sum(row["guaranteed_stranded"] for row in everywhere)
    offers = [row["offers_mean"] for row in everywhere]
    variants, allotted = found["variants"], found["variants"]["allotted"]
    seeds = found["seeds"]
    return Template(PAGE.read_text()).substitute(
        tasks=f"{max(row['tasks'] for row in everywhere) // len(seeds):,}",
        **_span("even", [r["fcfs_stranded_pct"] for r in found["even"].values()]),
        **_span("early", [r["fcfs_stranded_pct"] for r in found["loads"].values()]),
        **_span("offers", offers),
        stranded=_stranded(stranded, sum(row["of_them_unplaced"] for row in everywhere)),
        wide=variants["wide_windows"]["fcfs_stranded_pct"],
        cancelled=round(100 * CANCELLED),
        cancelling=variants["late_cancellations"]["fcfs_stranded_pct"],
        replanned=allotted["replanned_pct"],
        allotted=allotted["stranded_pct"],
        none_other=allotted["none_other_pct"],
        table=table(found),
        caution=QUICK if found["quick"] else "",
        seeds=", ".join(map(str, seeds)),
        waiting=found["interleaved"]["waiting"],
        taken=found["interleaved"]["taken_pct"],
        refused=found["shown_refused_pct"],
        candidates=f"{found['exact']['candidates']:,}",
        shown=found["exact"]["shown_pct"],
        proven=found["exact"]["unsafe_proven_pct"],
        one_of=ONE_OF,
        machine=", ".join(f"{key} {value}" for key, value in found["machine"].items()),
    )


def _span(name: str, values: list[float]) -> dict[str, float]:
    return {f"{name}_low": min(values), f"{name}_high": max(values)}


def plot(found: dict[str, Any]) -> str:
    """Draw for every setting who was left without a time, in both ways, as two bars."""
    shown = rows(found)
    wide = max(1.0, *(row["fcfs_stranded_pct"] for _, row in shown))
    left, width, step, top = 210, 520, 40, 70
    bottom = top + step * len(shown)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 {bottom + 30}" '
        'font-family="sans-serif" font-size="13" role="img" aria-labelledby="t">',
        '<title id="t">Patients left without a time, of those invited, in percent</title>',
        f'<rect width="860" height="{bottom + 30}" fill="white"/>',
        '<text x="16" y="28" font-size="16">Patients left without a time, % of those invited'
        "</text>",
        '<rect x="16" y="40" width="12" height="12" fill="#b5651d"/>',
        '<text x="34" y="51">first come, first served</text>',
        '<rect x="210" y="40" width="12" height="12" fill="#1f5fa8"/>',
        '<text x="228" y="51">with the choice guarantee</text>',
    ]
    for number, (name, row) in enumerate(shown):
        y = top + step * number
        out.append(f'<text x="{left - 8}" y="{y + 19}" text-anchor="end">{name}</text>')
        ours = 100 * row["guaranteed_stranded"] / row["tasks"]
        for at, value, colour in (
            (y, row["fcfs_stranded_pct"], "#b5651d"),
            (y + 15, round(ours, 2), "#1f5fa8"),
        ):
            long = max(2.0, width * value / wide)
            out.append(
                f'<rect x="{left}" y="{at}" width="{long:.0f}" height="13" fill="{colour}"/>'
            )
            out.append(f'<text x="{left + long + 6:.0f}" y="{at + 11}">{value:g}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"
