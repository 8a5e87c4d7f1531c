// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/terminal.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace nfstreamd::ctl {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP};
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l", kLeave = "\x1b[?25h\x1b[?1049l";

bool write_all(std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

winsize size_of_terminal() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) size = {};
    return size;
}

}  // namespace

Terminal::Terminal(bool picture) : picture_(picture), has_keys_(picture && ::isatty(STDIN_FILENO) == 1) {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int number : kSignals) ::sigaddset(&set, number);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (picture_) enter();
}

Terminal::~Terminal() {
    leave();
    if (signals_ >= 0) ::close(signals_);
}

void Terminal::enter() {
    if (has_keys_ && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
        termios raw = before_;
        raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        raw.c_cc[VMIN] = 0;
        raw.c_cc[VTIME] = 0;
        ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    entered_ = true;
    write_all(kEnter);
}

void Terminal::leave() noexcept {
    if (!entered_) return;
    entered_ = false;
    write_all(kLeave);
    if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
}

// Stopped from the keyboard: the shell gets its terminal as it was.
void Terminal::suspend() {
    if (picture_) leave();
    ::kill(::getpid(), SIGSTOP);
    if (picture_) enter();
}

Terminal::Event Terminal::wait(std::chrono::milliseconds time, std::string& keys) {
    pollfd ready[] = {{signals_, POLLIN, 0}, {has_keys_ ? STDIN_FILENO : -1, POLLIN, 0}};
    if (::poll(ready, 2, static_cast<int>(std::max<std::chrono::milliseconds::rep>(time.count(), 0))) <= 0)
        return Event::kNone;
    signalfd_siginfo signal{};
    if (::read(signals_, &signal, sizeof signal) == sizeof signal) {
        if (signal.ssi_signo == SIGTSTP) suspend();
        return signal.ssi_signo == SIGTSTP || signal.ssi_signo == SIGWINCH ? Event::kResized : Event::kEnd;
    }
    if (ready[1].revents == 0) return Event::kNone;
    char octets[32];
    const auto length = ::read(STDIN_FILENO, octets, sizeof octets);
    if (length <= 0) return Event::kEnd;  // the terminal is gone
    if (octets[0] == '\x1b') return Event::kNone;
    keys.assign(octets, static_cast<std::size_t>(length));
    return Event::kKey;
}

std::size_t Terminal::width() const {
    const auto size = size_of_terminal();
    return size.ws_col > 0 ? size.ws_col : 80;
}

std::size_t Terminal::height() const {
    const auto size = size_of_terminal();
    return size.ws_row > 0 ? size.ws_row : 24;
}

bool Terminal::draw(std::span<const std::string> lines) {
    std::string out = "\x1b[H";
    for (std::size_t i = 0; i < lines.size(); ++i) {
        out += lines[i];
        out += "\x1b[K";
        if (i + 1 < lines.size()) out += "\r\n";
    }
    return write_all(out + "\x1b[J");
}

bool wants_colours() {
    const char* refused = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    return ::isatty(STDOUT_FILENO) == 1 && (refused == nullptr || *refused == '\0') &&
           (terminal == nullptr || std::string_view(terminal) != "dumb");
}

bool speaks_utf8() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* value = std::getenv(name);
        if (value == nullptr || *value == '\0') continue;
        std::string lower(value);
        std::transform(lower.begin(), lower.end(), lower.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        return lower.find("utf-8") != lower.npos || lower.find("utf8") != lower.npos;
    }
    return false;
}

}  // namespace nfstreamd::ctl
