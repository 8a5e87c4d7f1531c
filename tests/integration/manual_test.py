#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Manual and shell completion: every option and command of --help is in them, mandoc finds no fault, bash completes."""
import re
import shutil
import subprocess
import unittest

import harness
from harness import NFSTREAMCTL, NFSTREAMD, ROOT

MAN, COMPLETION = ROOT / "packaging" / "man", ROOT / "packaging" / "completion"
PAGES = {NFSTREAMD: "nfstreamd.8", NFSTREAMCTL: "nfstreamctl.1"}

# Completes a command line as bash does, and prints what it offers.
COMPLETE = r"""
source "$1"; shift
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_$1
printf '%s\n' "${COMPREPLY[@]}"
"""


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"NOT RUN: {program} is not installed")


class Manual(harness.TestCase):
    def named(self, program):
        """Options and commands of --help."""
        text = self.run_program(program, "--help").stdout
        options = re.findall(r"^  (?:-(\w), |    )--([\w-]+)", text, re.M)
        self.assertGreater(len(options), 5)
        commands = re.findall(r"^  ([a-z][\w-]*)", text.partition("\nCommands:\n")[2].partition("\n\nOptions:")[0], re.M)
        self.assertEqual(bool(commands), program == NFSTREAMCTL)
        return options, commands

    def page(self, name):
        """A page as it is read, without the overprinting that makes words bold."""
        shown = self.run_program("mandoc", "-Tascii", "-O", "width=400", MAN / name).stdout
        return re.sub(r".\x08", "", shown)

    @needs("mandoc")
    def test_every_option_and_command_has_its_paragraph(self):
        for program, name in PAGES.items():
            page = self.page(name)
            options, commands = self.named(program)
            for short, long in options:
                with self.subTest(page=name, option=long):
                    self.assertRegex(page, rf"\n {{5}}{f'-{short}, ' if short else ''}--{long}\b")
            for command in commands:
                with self.subTest(page=name, command=command):
                    self.assertRegex(page, rf"\n {{5}}{command}\b")

    @needs("mandoc")
    def test_every_setting_that_is_listed_is_in_the_page(self):
        page = self.page("nfstreamd.yaml.5")
        reference = (ROOT / "config" / "REFERENCE.md").read_text(encoding="utf-8")
        keys = re.findall(r"^\| `([a-z0-9_.]+)` \| \w+ \|", reference, re.M)
        self.assertGreater(len(keys), 200)
        for key in keys:
            self.assertRegex(page, rf"\n {{5}}{re.escape(key)} \(")

    @needs("mandoc")
    def test_mandoc_finds_no_fault(self):
        run = subprocess.run(["mandoc", "-T", "lint", *sorted(MAN.glob("*.[158]"))], capture_output=True, text=True)
        faults = [line for line in (run.stdout + run.stderr).splitlines()
                  if "referenced manual not found" not in line and "outdated mandoc.db" not in line]
        self.assertEqual(faults, [])
        self.assertEqual(len(list(MAN.glob("*.[158]"))), 3)

    def test_every_option_and_command_is_completed_by_every_shell(self):
        for program in PAGES:
            options, commands = self.named(program)
            name = program.name
            bash, zsh, fish = ((COMPLETION / file).read_text(encoding="utf-8")
                               for file in (f"{name}.bash", f"_{name}", f"{name}.fish"))
            for short, long in options:
                self.assertRegex(bash, rf'words="[^"]*{f"-{short} " if short else ""}--{long}[ "]')
                self.assertRegex(zsh, rf"--{long}[=\[}}]")
                self.assertRegex(fish, rf"(?m)^complete -c {name} {f'-s {short} ' if short else ''}-l {long} .*-d '..")
            for command in commands:
                self.assertRegex(bash, rf'words\+="[^"]* {command}[ "]')
                self.assertRegex(zsh, rf"'{command}:..")
                self.assertRegex(fish, rf"-a {command} -d '..")

    @needs("zsh")
    def test_zsh_reads_its_files(self):
        for name in ("_nfstreamd", "_nfstreamctl"):
            self.run_program("zsh", "-n", COMPLETION / name)

    @needs("fish")
    def test_fish_reads_its_files(self):
        for name in ("nfstreamd", "nfstreamctl"):
            self.run_program("fish", "--no-execute", COMPLETION / f"{name}.fish")


class Bash(harness.TestCase):
    def offered(self, *words):
        run = self.run_program("bash", "-c", COMPLETE, "bash", COMPLETION / f"{words[0]}.bash", *words, cwd=self.folder)
        self.assertEqual(run.stderr, "")
        return set(run.stdout.split())

    def test_options(self):
        self.assertEqual(self.offered("nfstreamd", "--list-"), {"--list-fields", "--list-exporters", "--list-interfaces"})
        self.assertIn("-c", self.offered("nfstreamd", ""))
        self.assertIn("--json", self.offered("nfstreamctl", "status", "--"))

    def test_commands_once(self):
        self.assertLessEqual({"status", "expire", "collect"}, self.offered("nfstreamctl", ""))
        self.assertNotIn("expire", self.offered("nfstreamctl", "status", ""))

    def test_files(self):
        for name in ("a.pcap", "b.pcap"):
            self.write(name, "")
        files = {"a.pcap", "b.pcap"}
        for words in (("-c", ""), ("--config", "="), ("-r", "a.pcap", ""), ("--read", "a.pcap", "b.pcap", "")):
            self.assertEqual(self.offered("nfstreamd", *words), files, words)
        self.assertEqual(self.offered("nfstreamctl", "collect", ""), files)
        self.assertEqual(self.offered("nfstreamd", "-r", "a.pcap", "--forma"), {"--format"})

    def test_words(self):
        self.assertEqual(self.offered("nfstreamd", "--format", ""), {"csv", "json", "ipfix"})
        self.assertEqual(self.offered("nfstreamd", "--format", "=", "c"), {"csv"})
        self.assertEqual(self.offered("nfstreamctl", "collect", "--verify", "nfd"), {"nfdump"})
        self.assertEqual(self.offered("nfstreamctl", "collect", "--listen", ""), set())

    def test_what_is_offered_is_taken(self):
        capture = harness.CAPTURES / "dns.pcap"
        for kind in self.offered("nfstreamd", "--format", ""):
            self.nfstreamd("-r", capture, "-w", self.folder / "out", "--format", kind)
        for schema in self.offered("nfstreamd", "--schema", ""):
            self.nfstreamd("-r", capture, "-w", "-", "--schema", schema)

    def test_settings(self):
        self.assertEqual(self.offered("nfstreamd", "--set", "metering.idle"), {"metering.idle_timeout="})
        self.assertIn("exporters.write.fields=", self.offered("nfstreamd", "--set", "exporters.write."))
        self.assertEqual(self.offered("nfstreamd", "--set", "metering.idle_timeout", "=", "3"), set())


if __name__ == "__main__":
    harness.main()
