#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`nfstreamctl top` on a pseudo terminal: what the screen shows, keys, sizes, and the terminal as it was before."""
import signal
import sys

import harness
import screen
from harness import NFSTREAMCTL, wait_for

TRAFFIC = harness.ROOT / "tests" / "integration" / "traffic.py"


@harness.needs_root("live capture")
class Top(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe = harness.Namespace(self)
        self.collector, port = self.collect(namespace=self.probe)
        self.running = self.daemon(
            "instance: \"cell\\x1b[31mar\"\ncapture:\n  - {interface: lo, n_meters: 1, bpf_filter: udp dst port 7777}\n"
            f"exporters:\n  - {{name: main, type: ipfix, collectors: ['udp://127.0.0.1:{port}']}}\n"
            f"control: {{socket: {self.folder}/control.sock}}\n", namespace=self.probe)
        wait_for(lambda: self.status(self.running)["interfaces"][0]["up"], self.running.describe)

    def top(self, *words, width=100, height=30, **environment):
        return screen.Screen(self, [NFSTREAMCTL, "--socket", self.running.socket, "top", "--interval", "1", *words],
                             width, height, **environment)

    def traffic(self):
        return self.start(sys.executable, "-B", TRAFFIC, "flood", "127.0.0.1", 7777, 1_000_000, 20, namespace=self.probe)

    def assert_put_back(self, shown, before):
        self.assertEqual((shown.alternate, shown.cursor), (False, True))
        self.assertEqual(shown.modes(), before)
        self.assertEqual(shown.unknown, [])

    def test_rates_and_talkers_of_live_traffic_and_the_terminal_is_put_back(self):
        flood = self.traffic()
        shown = self.top()
        before = shown.modes()
        shown.wait_for(lambda s: s.line_with("127.0.0.1  "), "no talker")
        self.assertTrue(shown.alternate)
        self.assertFalse(shown.cursor)
        self.assertEqual(shown.modes(), (False, False))
        self.assertIn("cell\\x1b[31mar", shown.text())  # shown, not obeyed
        self.assertTrue(shown.colours)
        for word in ("packets/s", "bits/s", "INTERFACE", "lo", "EXPORTER", "main", "APPLICATION", "TALKER", "quit"):
            self.assertIn(word, shown.text())
        shown.wait_for(lambda s: s.line_with("packets/s").split()[1] != "0", "no rate")
        shown.press("q")
        self.assertEqual(shown.exit_status(), 0)
        self.assert_put_back(shown, before)
        flood.kill()

    def test_it_follows_the_size_of_the_terminal(self):
        shown = self.top()
        shown.wait_for(lambda s: "TALKER" in s.text() and "quit" in s.text(), "nothing shown")
        for width, height in ((40, 12), (140, 50), (20, 4), (100, 24)):
            shown.resize(width, height)
            shown.wait_for(lambda s: "sort" in s.text().splitlines()[-1], f"{width}x{height}")
        shown.press("q")
        self.assertEqual(shown.exit_status(), 0)
        self.assertEqual(shown.unknown, [])  # nothing beyond the right edge

    def test_keys_change_the_order_and_pause(self):
        shown = self.top()
        shown.wait_for(lambda s: "TALKER" in s.text(), "nothing shown")
        shown.press(" ")
        shown.wait_for(lambda s: "PAUSED" in s.text(), "no pause")
        shown.press(" +")
        shown.wait_for(lambda s: "PAUSED" not in s.text() and "every 2 s" in s.text(), "no interval")
        shown.press("sq")
        self.assertEqual(shown.exit_status(), 0)

    def test_signals_put_the_terminal_back(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            shown = self.top()
            before = shown.modes()
            shown.wait_for(lambda s: s.alternate and "INTERFACE" in s.text(), "nothing shown")
            shown.send_signal(number)
            self.assertEqual(shown.exit_status(), 0)
            self.assert_put_back(shown, before)

    def test_no_colour_where_none_is_wanted(self):
        shown = self.top(NO_COLOR="1")
        shown.wait_for(lambda s: "TALKER" in s.text(), "nothing shown")
        self.assertEqual(shown.colours, set())
        shown.press("q")
        self.assertEqual(shown.exit_status(), 0)

    def test_a_daemon_that_goes_away_is_told_of_and_waited_for(self):
        shown = self.top()
        before = shown.modes()
        shown.wait_for(lambda s: "INTERFACE" in s.text(), "nothing shown")
        self.assertEqual(self.running.stop(), 0)
        shown.wait_for(lambda s: "is nfstreamd running" in s.text() or "control.sock" in s.text(), "no word of it")
        shown.press("q")
        self.assertEqual(shown.exit_status(), 0)
        self.assert_put_back(shown, before)

    def test_without_a_daemon_the_terminal_is_not_touched(self):
        shown = screen.Screen(self, [NFSTREAMCTL, "--socket", self.folder / "nobody.sock", "top"])
        self.assertEqual(shown.exit_status(), 69)
        self.assertFalse(shown.alternate)
        self.assertIn("nobody.sock", shown.text())


if __name__ == "__main__":
    harness.main()
