# SPDX-License-Identifier: Apache-2.0
"""A service manager that keeps the sockets of captures from one nfstreamd to the next (sd_notify(3))."""
import array
import fcntl
import os
import select
import socket
import sys

from harness import NFSTREAMD, wait_for

# Puts the descriptors where sd_listen_fds(3) looks, and tells the process its number. It has no other ones of them: a
# capture's socket that somebody holds goes on getting packets.
PASS = ("import os, sys\n"
        "for place, one in enumerate(map(int, filter(None, sys.argv[1].split(',')))): os.dup2(one, 3 + place), os.close(one)\n"
        "os.environ['LISTEN_PID'] = str(os.getpid())\n"
        "os.execv(sys.argv[2], sys.argv[2:])\n")


class Manager:
    """As systemd does it (sd_notify(3)): keeps descriptors that it is sent, and hands them to the next process."""

    def __init__(self, case):
        self.path = str(case.folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.kept, self.told = {}, []
        case.addCleanup(self.close)

    def read(self):
        while select.select([self.socket], [], [], 0)[0]:
            text, control, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(4) * 16)
            words = dict(line.split("=", 1) for line in text.decode().splitlines() if "=" in line)
            self.told.append(words)
            for level, kind, data in control:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    self.kept[words["FDNAME"]] = array.array("i", data)[0]
            if "FDSTOREREMOVE" in words and words["FDNAME"] in self.kept:
                os.close(self.kept.pop(words["FDNAME"]))

    def environment(self, keeps):
        names = list(self.kept)
        return {**os.environ, "NOTIFY_SOCKET": self.path, **({"FDSTORE": "16"} if keeps else {}),
                **({"LISTEN_FDS": str(len(names)), "LISTEN_FDNAMES": ":".join(names)} if names else {})}

    def start(self, case, configuration, namespace, keeps=True):
        """A daemon that gets what is kept, once its captures are up."""
        self.read()
        moved = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in self.kept.values()]  # out of the way of 3
        control = case.folder / "control.sock"
        control.unlink(missing_ok=True)
        process = case.start("/usr/bin/env", sys.executable, "-c", PASS, ",".join(map(str, moved)), NFSTREAMD, "-c",
                             configuration, namespace=namespace, env=self.environment(keeps), pass_fds=moved)
        for fd in moved:
            os.close(fd)
        process.socket = control
        wait_for(lambda: process.socket.exists() or not process.running(), process.describe)
        wait_for(lambda: all(row["up"] for row in case.status(process)["interfaces"]), process.describe)
        self.read()  # what the process has taken is given up here, too
        return process

    def close(self):
        for descriptor in self.kept.values():
            os.close(descriptor)
        self.socket.close()
