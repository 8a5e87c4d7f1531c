#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Ansible role against a booted Debian that has never seen nfstreamd; NFSTREAMD_SUITE and NFSTREAMD_DEB as in
service_test.py."""
import unittest

import container
import harness
from service_test import SUITE, build_package

import ansible_role

WHY_NOT = container.why_not() or ansible_role.missing()
# what the modules of Ansible run with, on the host that is configured
PACKAGES = ("systemd", "python3-minimal", "python3-apt")


@unittest.skipIf(WHY_NOT, f"NOT RUN: {WHY_NOT}")
class Role(harness.TestCase):
    def test_the_role_from_nothing_to_a_newer_package(self):
        package = build_package()
        root = container.Root(SUITE, PACKAGES, "ansible").provide(package)
        inside = container.Container(self, root, harness.Namespace(self))
        ansible_role.check(inside.leader, package)


if __name__ == "__main__":
    harness.main()
