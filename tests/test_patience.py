"""What tests measure with: time in which nothing could run does not count."""

import json
import os
import signal
import subprocess
import sys
import time

import httpx
import psutil
from hypothesis import settings

from tests.patience import PATIENCE, Stopwatch

_STOPS_ITSELF = """
import json, os, signal, time
from tests.patience import Stopwatch
began = time.monotonic()
with Stopwatch() as watch:
    os.kill(os.getpid(), signal.SIGSTOP)
print(json.dumps([watch.seconds, time.monotonic() - began]))
"""


def test_time_in_which_the_process_was_put_aside_does_not_count() -> None:
    with subprocess.Popen([sys.executable, "-c", _STOPS_ITSELF], stdout=subprocess.PIPE, text=True) as process:
        while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGCONT)
        output, _ = process.communicate(timeout=PATIENCE)
    counted, passed = json.loads(output)

    assert passed > 0.5
    assert counted < passed - 0.25


def test_time_in_which_it_ran_counts() -> None:
    with Stopwatch() as watch:
        first = watch.seconds
        while watch.seconds < 0.3:  # it comes to that only if the time is counted
            time.sleep(0.01)

    assert first < 0.3 <= watch.seconds


def test_http_clients_of_tests_are_patient() -> None:
    with httpx.Client() as client:
        assert httpx.Timeout(PATIENCE) == client.timeout


def test_examples_may_take_their_time() -> None:
    assert settings().deadline is None
