# SPDX-License-Identifier: Apache-2.0
"""A program on a pseudo terminal, and what its screen shows: the few escapes that a picture needs, everything else is
an error, so that nothing from the wire can pass for one."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios

import harness

ESCAPE = re.compile(rb"\x1b\[(\??)([0-9;]*)([A-Za-z])")


class Screen:
    """Runs COMMAND on a terminal of this size; text() is what a person would see."""

    def __init__(self, case, command, width=100, height=30, **environment):
        self.width, self.height = width, height
        self.cells = [[" "] * width for _ in range(height)]
        self.row = self.column = 0
        self.alternate, self.cursor = False, True
        self.colours, self.unknown, self._rest, self.status = set(), [], b"", None
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update({"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}, **environment)
            os.execvp(str(command[0]), [str(word) for word in command])
        case.addCleanup(self.close)
        self.resize(width, height)

    def resize(self, width, height):
        self.width, self.height = width, height
        self.cells = [(row + [" "] * width)[:width] for row in self.cells[:height]]
        self.cells += [[" "] * width for _ in range(height - len(self.cells))]
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def press(self, keys):
        os.write(self.terminal, keys.encode())

    def modes(self):
        """Echo and lines, as the terminal has them now."""
        flags = termios.tcgetattr(self.terminal)[3]
        return bool(flags & termios.ECHO), bool(flags & termios.ICANON)

    def read(self):
        """Takes what has come; False at the end."""
        while select.select([self.terminal], [], [], 0.02)[0]:
            try:
                part = os.read(self.terminal, 65536)
            except OSError:
                return False
            if not part:
                return False
            self._feed(self._rest + part)
        return True

    def wait_for(self, condition, what):
        def look():
            self.read()
            return condition(self)
        return harness.wait_for(look, lambda: f"{what}\n{self.text()}\n{self.unknown}")

    def send_signal(self, number):
        os.kill(self.pid, number)

    def exit_status(self):
        def ended():
            self.read()
            if self.status is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                self.status = os.waitstatus_to_exitcode(status) if pid else None
            return self.status is not None
        harness.wait_for(ended, self.text)
        self.read()
        return self.status

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.terminal)

    def text(self):
        return "\n".join("".join(row).rstrip() for row in self.cells)

    def line_with(self, word):
        return next((line for line in self.text().splitlines() if word in line), "")

    def _feed(self, data):
        self._rest, at = b"", 0
        while at < len(data):
            octet = data[at]
            if octet == 0x1b:
                found = ESCAPE.match(data, at)
                if not found:
                    if len(data) - at < 16:
                        self._rest = data[at:]
                        return
                    self.unknown.append(data[at:at + 16])
                    at += 1
                    continue
                self._escape(*(part.decode() for part in found.groups()))
                at = found.end()
            elif octet in b"\r\n":
                self.column = 0 if octet == 0x0d else self.column
                self.row = min(self.row + (octet == 0x0a), self.height - 1)
                at += 1
            else:
                length = 1 if octet < 0x80 else 2 if octet < 0xe0 else 3 if octet < 0xf0 else 4
                if at + length > len(data):
                    self._rest = data[at:]
                    return
                character = data[at:at + length].decode(errors="replace")
                if octet < 32 or octet == 127:
                    self.unknown.append(bytes([octet]))
                elif self.column < self.width:
                    self.cells[self.row][self.column] = character
                    self.column += 1
                else:
                    self.unknown.append(b"beyond the right edge: " + character.encode())
                at += length

    def _escape(self, private, numbers, kind):
        if private:
            if kind not in "hl" or numbers not in ("1049", "25"):
                self.unknown.append((private, numbers, kind))
            elif numbers == "1049":
                self.alternate = kind == "h"
            else:
                self.cursor = kind == "h"
        elif kind == "H" and not numbers:
            self.row = self.column = 0
        elif kind == "K" and not numbers:
            self.cells[self.row][self.column:] = [" "] * (self.width - self.column)
        elif kind == "J" and not numbers:
            self.cells[self.row][self.column:] = [" "] * (self.width - self.column)
            for row in range(self.row + 1, self.height):
                self.cells[row] = [" "] * self.width
        elif kind == "m":
            self.colours.update(number for number in numbers.split(";") if number.startswith("3"))
        else:
            self.unknown.append((private, numbers, kind))
