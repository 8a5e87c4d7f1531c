# SPDX-License-Identifier: Apache-2.0
"""Does what `how` says; `log` gets a line for each instance that is made, and each that is cleaned up."""
import sys
import time

from nfstream import NFPlugin


class Misbehaves(NFPlugin):
    def __init__(self, how="", log=None, number=0):
        super().__init__(how=how, log=log, number=number)
        if how == "fails to open":
            raise RuntimeError("it does not want to")
        self.note("made")

    def note(self, what):
        if self.log:
            with open(self.log, "a", encoding="utf-8") as log:
                print(what, self.number, file=log)

    def on_init(self, packet, flow):
        flow.udps.calls = 1
        flow.udps.number = self.number
        if self.how == "divides":
            flow.udps.calls = 1 // 0
        elif self.how == "leaves":
            sys.exit("it wants to leave")
        elif self.how == "prints":
            print("said by a plugin")
        elif self.how == "changes its mind" and packet.src_port % 2:
            flow.udps.number = "seven"
        elif self.how == "gives what nobody knows":
            setattr(flow.udps, "un" + "known", 5)
        elif self.how == "names by number":
            vars(flow.udps)[5] = 5
        elif self.how == "vanishes":
            flow.udps.number = Vanishing(vars(flow.udps))
        elif self.how == "writes over":
            flow.application_name = "none"
        elif self.how == "is slow":
            time.sleep(0.002)

    def on_update(self, packet, flow):
        flow.udps.calls += 1
        if self.how == "fails later":
            raise ValueError("a second packet")

    def cleanup(self):
        self.note("cleaned")
        if self.how == "fails at the end":
            raise OSError("nothing to clean")


class Another(NFPlugin):
    def on_init(self, packet, flow):
        flow.udps.another = self.wanted


class Refused(NFPlugin):
    def on_expire(self, flow):
        setattr(flow.udps, "".join(("un", "known")), 1)


class Vanishing:
    """A value that is gone when its text is asked for."""
    def __init__(self, values):
        self.values = values

    def __str__(self):
        self.values.pop("number", None)
        return "longer than any field" * 4000
