"""Every kind of network on its real data: figure against target.

    python benchmarks/rows.py DATA [ROW ...] [--json]

DATA is the folder with the real data sets. Without a ROW all are trained, which takes hours; --list names them. The
figures that were seen stand in docs/results.md.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from time import perf_counter

from figures import Row

ROOMS = ("rows_tables", "rows_pictures", "rows_generative", "rows_sequences", "rows_graphs", "rows_transfer")


def rows() -> dict[str, Row]:
    """All rows by name."""
    return {row.name: row for room in ROOMS for row in importlib.import_module(room).ROWS}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--list", action="store_true", help="name the rows and leave")
    parser.add_argument("--json", action="store_true", help="one object a row")
    arguments = parser.parse_args()
    known = rows()
    unknown = [name for name in arguments.rows if name not in known]
    if unknown:
        parser.error(f"there is no row {unknown[0]}; there are {', '.join(known)}")
    if arguments.list:
        print("\n".join(f"{row.name:24} {row.figure}" for row in known.values()))
        return 0
    missed = 0
    for name in arguments.rows or known:
        missed += not report(known[name], arguments.data, arguments.json)
    return 1 if missed else 0


def report(row: Row, data: Path, as_json: bool) -> bool:
    """Measure a row and print it; whether it reaches its target."""
    began = perf_counter()
    value = row.measure(data)
    seconds, reached = perf_counter() - began, row.reached(value)
    if as_json:
        print(
            json.dumps(
                {
                    "row": row.name,
                    "figure": row.figure,
                    "value": value,
                    "target": row.target,
                    "reached": reached,
                    "seconds": round(seconds, 1),
                }
            ),
            flush=True,
        )
    else:
        sign, verdict = "≤" if row.highest else "≥", "reached" if reached else "MISSED"
        print(
            f"{row.name:24} {row.figure:44} {value:10.4g}  {sign} {row.target:<8g} {verdict:8} {seconds:7.0f} s",
            flush=True,
        )
    return reached


if __name__ == "__main__":
    sys.exit(main())
