"""What clients see when parts of the bed break, measured: ``python -m tests.cluster.drill`` prints it as a table.

The numbers of docs/operations/error-analysis.md come from here.
"""

import asyncio
import signal
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.cluster.bed import Bed
from tests.live import eventually
from tests.opencaas.load import Answer, Load
from tests.operations.shop import make_shop, shop_load

__all__ = ["main"]

_SCENARIOS: Final = {
    "the primary is killed (`kill -9`)": signal.SIGKILL,
    "the primary is stopped (SIGTERM)": signal.SIGTERM,
    "the primary hangs (SIGSTOP)": signal.SIGSTOP,
}
_KINDS: Final = {"read": "REST read", "graphql": "GraphQL", "write": "REST write"}
_LONGEST: Final = 60.0


def main() -> int:
    """Run every scenario on one bed, and print a row for each kind of request."""
    rows = [
        "| what happens | requests | failed | slowest answer | served again after |",
        "| --- | --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory() as directory, Bed(Path(directory), servers=1, workers=2) as bed:
        make_shop(bed.servers[0].url, bed.admin)
        for what, number in _SCENARIOS.items():
            load = shop_load(bed.servers[0].url, bed.admin, prefix=f"{number.name}-")
            gone = _run(bed, load, number)
            rows += [_row(what, name, load.seen(kind), gone) for kind, name in _KINDS.items()]
            heard = [len(watch.heard) for watch in load.watches]
            closed = [watch.closed for watch in load.watches if watch.closed]
            told = f"watchers heard {heard} of {len(load.acknowledged)} acknowledged, closed: {closed or 'none'}"
            sys.stderr.write(f"{what}: readiness {load.changes('ready')}; {told}\n")
    sys.stdout.write("\n".join(rows) + "\n")
    return 0


def _run(bed: Bed, load: Load, number: signal.Signals) -> float:
    """Break the primary under load and give the moment; afterwards all is as it was."""
    former = bed.replica_set.wait_for_primary()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(asyncio.run, load.run())
        eventually(lambda: len(load.acknowledged) > 10, 30)
        time.sleep(3)
        gone = load.watch.seconds
        former.kill(number)
        bed.replica_set.wait_for_primary(besides=former)
        eventually(lambda: any(a.good and a.began > gone for a in load.seen("write")), _LONGEST)
        time.sleep(3)
        load.stopped = True
        running.result(90)
    if number is signal.SIGSTOP:
        former.kill(signal.SIGCONT)
    else:
        bed.replica_set.start_member(former)
    bed.replica_set.wait_until_all_follow()
    return gone


def _row(what: str, name: str, answers: list[Answer], gone: float) -> str:
    failed = Counter(answer.status for answer in answers if not answer.good)
    said = ", ".join(f"{count} x {status}" for status, count in failed.items()) or "none"
    back = min((a.began + a.took - gone for a in answers if a.good and a.began > gone), default=_LONGEST)
    return f"| {what} | {name} | {said} of {len(answers)} | {max(a.took for a in answers):.1f} s | {back:.1f} s |"


if __name__ == "__main__":
    sys.exit(main())
