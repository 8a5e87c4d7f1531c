#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the service's unit forbids is tried from within: attempts.pl in the unit's place, with all of its sandbox, and
as much of it as does no harm once more without, by root, so that it is the sandbox that says no."""
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import container  # noqa: E402
import harness  # noqa: E402

ATTEMPTS = pathlib.Path(__file__).resolve().parent / "attempts.pl"
INSIDE = "/usr/local/lib/attempts.pl"
STATE, LOGS = "/var/lib/nfstreamd", "/var/log/nfstreamd"

MUST = {"write its state", "write its logs", "write its own /tmp", "packet socket", "udp socket", "netlink socket",
        "read its configuration"}
# Root of a container may do these; only the unit keeps the service from it.
OF_THE_UNIT = {"write /", "write /etc", "write /usr", "write /var/lib", "write /root", "write /home", "read passwords",
               "see process 1", "trace another process", "signal process 1", "become root", "become group root",
               "run a shell as root by su", "make a file setuid", "a namespace of networks", "a namespace of mounts",
               "another root", "mount", "personality", "memory to write and run", "realtime", "the host name"}
FACTS = {"NoNewPrivs is 1", "Seccomp is 2", "CapEff is 0000000000002000", "CapBnd is 0000000000002000",
         "CapAmb is 0000000000002000", "core is 0 0"}


@unittest.skipIf(container.why_not(), f"NOT RUN: {container.why_not()}")
class Sandbox(harness.TestCase):
    def test_the_sandbox_holds(self):
        root = container.Root(container.suite_of_host())
        self.inside = container.Container(self, root.make(), harness.Namespace(self))
        self.install_units()
        refused, done, facts = self.attempts("confined", confined=True)
        self.assertEqual(done, MUST, f"refused: {refused}")
        self.assertGreater(len(refused), 45)
        self.assertEqual(facts, FACTS)
        _, by_root, _ = self.attempts("root", confined=False)
        self.assertLessEqual(OF_THE_UNIT | MUST, by_root, "the attempts do not try what they say")
        self.assertLessEqual(OF_THE_UNIT, set(refused))

    def install_units(self):
        """The unit as cmake --install makes it, with its user and folders."""
        script = pathlib.Path(harness.BUILD) / "systemd" / "install_service.cmake"
        subprocess.run(["cmake", "-DCMAKE_INSTALL_PREFIX=/usr", "-P", script], check=True, capture_output=True,
                       env={**os.environ, "DESTDIR": str(self.folder)})
        for path in ("lib/systemd/system/nfstreamd.service", "lib/sysusers.d/nfstreamd.conf", "lib/tmpfiles.d/nfstreamd.conf"):
            self.inside.write(f"/usr/{path}", (self.folder / "usr" / path).read_text())
        self.inside.write(INSIDE, ATTEMPTS.read_text())
        self.inside.run("systemd-sysusers")
        self.inside.run("systemd-tmpfiles", "--create", "nfstreamd.conf")

    def attempts(self, name, confined):
        """What was refused (with the reason), what was done, and what the kernel says of the process."""
        unit = f"attempts-{name}.service"
        output, chosen = f"/run/attempts-{name}", ""
        if confined:
            text = self.inside.run("cat", "/usr/lib/systemd/system/nfstreamd.service").stdout.replace("\\\n", " ")
            kept = [line for line in text.splitlines()
                    if not line.startswith(("Type=", "NotifyAccess=", "Exec", "Restart", "Watchdog", "#"))]
            kept.insert(kept.index("[Service]") + 1, "Type=oneshot")
        else:
            kept = ["[Service]", "Type=oneshot", "StateDirectory=nfstreamd", "LogsDirectory=nfstreamd", "PrivateMounts=yes"]
            chosen = "/run/chosen"
            self.inside.write(chosen, "".join(f"{what}\n" for what in OF_THE_UNIT | MUST))
        kept = kept[:kept.index("[Install]")] if "[Install]" in kept else kept
        kept += [f"ExecStart=/usr/bin/perl {INSIDE} {STATE} {LOGS} {chosen}", f"StandardOutput=truncate:{output}"]
        self.inside.write(f"/etc/systemd/system/{unit}", "\n".join(kept) + "\n")
        self.inside.systemctl("daemon-reload", "")
        self.inside.systemctl("start", unit)
        refused, done, facts = {}, set(), set()
        for line in self.inside.run("cat", output).stdout.splitlines():
            what, result = line.rsplit(" ", 1)
            if " is " in line:
                facts.add(line)
            elif result == "ok":
                done.add(what)
            else:
                refused[what] = result
        return refused, done, facts


if __name__ == "__main__":
    harness.main()
