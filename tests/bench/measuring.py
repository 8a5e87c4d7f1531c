# SPDX-License-Identifier: Apache-2.0
"""What one run of a program costs: processor time, wall time, peak memory, and the time of each of its threads."""
import contextlib
import dataclasses
import os
import pathlib
import subprocess
import sys
import time

SAMPLE_S = 0.01  # between two looks at a process's threads; so much at most is missed of each


@dataclasses.dataclass
class Usage:
    cpu: float   # seconds, user and system
    wall: float  # seconds
    peak: int    # octets
    stdout: str
    threads: dict  # name: seconds of processor time; empty unless asked for


def _thread_times(pid, found):
    """Processor time of the threads that live now, by their names; those that have ended keep what they had."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            name = (task / "comm").read_text().strip()
            found[task.name] = (name, int((task / "schedstat").read_text().split()[0]) / 1e9)


def run(command, threads=False, output=None):
    """Runs to the end; a program that fails ends the bench."""
    command = [str(word) for word in command]
    with open(output or os.devnull, "w+b") as out:
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        found = {}
        while threads:
            with contextlib.suppress(OSError):
                _thread_times(process.pid, found)
            if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                break
            time.sleep(SAMPLE_S)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        text = ""
        if output:
            out.seek(0)
            text = out.read().decode(errors="replace")
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: status {process.returncode}\n{text[-2000:]}")
    sums = {}
    for name, seconds in found.values():
        sums[name] = sums.get(name, 0) + seconds
    return Usage(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024, text, sums)
