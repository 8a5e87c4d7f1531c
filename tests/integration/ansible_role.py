#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Ansible role against a container that has booted systemd, where nfstreamd is not installed yet.

usage: ansible_role.py LEADER PACKAGE.deb
  LEADER   process id of the container's init, seen from here
The container needs python3-minimal and python3-apt, and what the package depends on. Afterwards the service runs there.
Exit status 125: NOT RUN, Ansible is missing.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE = "/etc/nfstreamd/nfstreamd.yaml"
COLLECTORS = {"nfstreamd_collectors": ["udp://127.0.0.1:4739"]}
RECAP = re.compile(r"^probe\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.M)


class Failure(Exception):
    pass


class Role:
    """Runs of the role's playbook, and what it left in the container."""

    def __init__(self, leader, package, folder):
        self.leader, self.package, self.folder = str(leader), pathlib.Path(package).resolve(), pathlib.Path(folder)
        self.inventory = self.folder / "inventory"
        # With the root of the container, which is another one than its mount namespace's where we are in a chroot ourselves.
        self.programs = self.folder / "bin"
        self.programs.mkdir()
        (self.programs / "nsenter").write_text(f'#!/bin/sh\nexec {shutil.which("nsenter")} --root --wd "$@"\n',
                                               encoding="utf-8")
        (self.programs / "nsenter").chmod(0o755)
        self.inventory.write_text(f"probe ansible_connection=community.docker.nsenter ansible_nsenter_pid={leader} "
                                  "ansible_become=false ansible_python_interpreter=/usr/bin/python3\n", encoding="utf-8")

        root = os.stat(f"/proc/{leader}/root")
        if self.inside("stat", "-c", "%d:%i", "/") != f"{root.st_dev}:{root.st_ino}":
            raise Failure("the way in leads elsewhere, where nothing may be installed")

    def play(self, variables, *options):
        """(whether it succeeded, number of changes, output)"""
        given = {"nfstreamd_deb": str(self.package), **variables}
        environment = {**os.environ, "PATH": f"{self.programs}:{os.environ['PATH']}",
                       "ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "1", "ANSIBLE_GATHERING": "smart",
                       "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",  # the host stays as it is: asked once
                       "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(self.folder / "facts"),
                       "ANSIBLE_HOME": str(self.folder / "home"), "ANSIBLE_LOCAL_TEMP": str(self.folder / "local"),
                       "ANSIBLE_ROLES_PATH": str(ROOT / "packaging" / "ansible" / "roles"), "LC_ALL": "C.UTF-8"}
        run = subprocess.run(["ansible-playbook", "-i", self.inventory, "-e", json.dumps(given), "--diff", *options,
                              ROOT / "packaging" / "ansible" / "example.yml"], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=180, env=environment, cwd=self.folder)
        recap = RECAP.search(run.stdout)
        if not recap or recap.group(3) != "0":
            raise Failure(f"the play did not reach its end:\n{run.stdout[-4000:]}\n{run.stderr[-4000:]}")
        return run.returncode == 0 and recap.group(4) == "0", int(recap.group(2)), run.stdout + run.stderr

    def inside(self, *words, status=0):
        run = subprocess.run([self.programs / "nsenter", "-t", self.leader, "-a", *words], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=60)
        if status is not None and run.returncode != status:
            raise Failure(f"{' '.join(words)}: status {run.returncode}\n{run.stdout}\n{run.stderr}")
        return run.stdout.strip()

    def property_of_service(self, name):
        return self.inside("systemctl", "show", "--value", "--property", name, "nfstreamd.service")

    def pid(self):
        if self.inside("systemctl", "is-active", "nfstreamd.service", status=None) != "active":
            raise Failure("the service is not active:\n" + self.inside("journalctl", "-u", "nfstreamd", "-n", "50"))
        return int(self.property_of_service("MainPID"))

    def reloads(self):
        return self.inside("journalctl", "--quiet", "--unit", "nfstreamd.service").count("reload applied")


def expect(truth, what):
    if not truth:
        raise Failure(what)
    print(f"ok: {what.splitlines()[0]}", flush=True)


def newer(package, folder):
    """The same package with a higher version."""
    tree = pathlib.Path(folder, "newer")
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    control = tree / "DEBIAN" / "control"
    text, count = re.subn(r"^Version: (.*)$", r"Version: \1+newer1", control.read_text(encoding="utf-8"), flags=re.M)
    expect(count == 1, "the package has a version")
    control.write_text(text, encoding="utf-8")
    out = pathlib.Path(folder, "newer.deb")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, out], check=True, capture_output=True)
    return out


def check_fresh_host(role):
    done, _, out = role.play(COLLECTORS, "--check")
    expect(done, f"check mode works on a host without nfstreamd\n{out}")
    expect(role.inside("sh", "-c", "command -v nfstreamd || echo none") == "none", "check mode installs nothing")


def check_collectors_are_enough(role):
    done, changes, out = role.play(COLLECTORS)
    expect(done and changes >= 2, f"a list of collectors is enough\n{out}")
    written = role.inside("cat", FILE)
    expect("udp://127.0.0.1:4739" in written and "interface" in written, f"the collector is in the file\n{written}")
    expect(role.inside("stat", "-c", "%U:%G %a", FILE) == "root:nfstreamd 640", "the file is the service's to read alone")
    expect(role.inside("systemctl", "is-enabled", "nfstreamd.service") == "enabled", "the service is enabled")
    status = json.loads(role.inside("nfstreamctl", "status", "--json"))
    expect([exporter["name"] for exporter in status["exporters"]] == ["collectors"], "the running service has that exporter")
    done, changes, out = role.play(COLLECTORS)
    expect(done and changes == 0, f"a second run changes nothing\n{out}")


def check_change_is_reloaded(role):
    pid, reloads = role.pid(), role.reloads()
    changed = {**COLLECTORS, "nfstreamd_settings": {"metering": {"idle_timeout": "33s"}}}
    done, changes, out = role.play(changed, "--check")
    expect(done and changes >= 1 and "+  idle_timeout: 33s" in out, f"check mode shows a change\n{out}")
    expect("33s" not in role.inside("cat", FILE), "check mode changes nothing")
    done, changes, out = role.play(changed)
    expect(done and changes >= 1, f"a setting changes\n{out}")
    expect(role.pid() == pid, "the process is the same after a change")
    expect(role.reloads() == reloads + 1, "it has reloaded once")
    return changed


def check_bad_setting(role, variables):
    pid, before = role.pid(), role.inside("cat", FILE)
    bad = {**variables, "nfstreamd_settings": {"metering": {"idle_timeout": "soon"}}}
    done, _, out = role.play(bad)
    expect(not done and "metering.idle_timeout: must be a duration" in out, f"a bad setting fails, with what is wrong\n{out}")
    expect(role.inside("cat", FILE) == before, "the old file stays")
    expect(role.pid() == pid, "the service goes on")
    done, _, out = role.play({})
    expect(not done and "Set nfstreamd_collectors" in out, f"without any exporter the play says what to set\n{out}")


def check_what_needs_a_restart(role, variables):
    pid = role.pid()
    role.package = newer(role.package, role.folder)
    allowed = {**variables, "nfstreamd_allowed_addresses": ["127.0.0.0/8"]}
    done, changes, out = role.play(allowed)
    expect(done and changes >= 3 and role.pid() != pid, f"a new package and allowed addresses restart the service\n{out}")
    expect(role.inside("dpkg-query", "-W", "-f", "${Version}", "nfstreamd").endswith("+newer1"), "the new package is installed")
    expect(role.property_of_service("IPAddressAllow") == "127.0.0.0/8", "only those addresses are allowed")
    done, changes, out = role.play(allowed)
    expect(done and changes == 0, f"both change nothing the second time\n{out}")


def check(leader, package):
    """Every check in turn; raises Failure."""
    with tempfile.TemporaryDirectory(prefix="nfstreamd-ansible-") as folder:
        role = Role(leader, package, folder)
        check_fresh_host(role)
        check_collectors_are_enough(role)
        variables = check_change_is_reloaded(role)
        check_bad_setting(role, variables)
        check_what_needs_a_restart(role, variables)


def missing():
    """Why this cannot run here; empty if it can."""
    if not shutil.which("ansible-playbook"):
        return "ansible-playbook is missing (package ansible)"
    listed = subprocess.run(["ansible-doc", "-t", "connection", "community.docker.nsenter"], capture_output=True)
    return "" if listed.returncode == 0 else "Ansible has no connection community.docker.nsenter (package ansible)"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    if why := missing():
        print(f"NOT RUN: {why}", file=sys.stderr)
        sys.exit(125)
    try:
        check(int(sys.argv[1]), sys.argv[2])
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
