// SPDX-License-Identifier: Apache-2.0
#include "daemon/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace nfstreamd::daemon {
namespace {

constexpr std::chrono::milliseconds kQuiet{500};  // shorter runs show nothing
constexpr std::string_view kClearLine = "\r\x1b[K";
constexpr unsigned kLeastBar = 12, kMostBar = 40;

double fraction(const ProgressState& state) {
    return std::min(1.0, static_cast<double>(state.done) / static_cast<double>(state.total));
}

std::string bar(double done, unsigned width) {
    const unsigned inside = width - 2;
    const auto filled = static_cast<unsigned>(done * inside);
    std::string text(1, '[');
    text.append(filled, '=');
    if (filled < inside) text += '>';
    text.resize(width - 1, ' ');
    return text + ']';
}

std::string time_left(const ProgressState& state) {
    const double done = fraction(state);
    if (done <= 0) return {};
    if (done >= 1) return "writing records";
    const double left = static_cast<double>(state.elapsed.count()) / 1000 * (1 - done) / done;
    if (left > 360'000) return {};  // no more than a guess
    return fmt::format("{} left", clock_text(std::chrono::seconds(std::lround(left))));
}

}  // namespace

std::string short_number(double number) {
    constexpr std::string_view kUnits[] = {"", " k", " M", " G", " T"};
    std::size_t unit = 0;
    while (number >= 999.5 && unit + 1 < std::size(kUnits)) {
        number /= 1000;
        ++unit;
    }
    if (unit == 0) return fmt::format("{:.0f}", number);
    const int digits = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f}{}", number, digits, kUnits[unit]);
}

std::string clock_text(std::chrono::seconds time) {
    const auto seconds = time.count();
    if (seconds >= 3600) return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
}

std::string progress_line(const ProgressState& state, unsigned width) {
    std::string line;
    if (state.total > 0) line = fmt::format("{:3.0f}%", std::floor(fraction(state) * 100));
    std::string parts[] = {
        fmt::format("{} packets", short_number(static_cast<double>(state.packets))),
        fmt::format("{}/s", short_number(state.packets_per_second)),
        fmt::format("{} flows", short_number(static_cast<double>(state.flows))),
        state.total > 0 ? time_left(state)
                        : clock_text(std::chrono::duration_cast<std::chrono::seconds>(state.elapsed)),
    };
    std::string tail;
    for (const auto& part : parts) {
        if (part.empty()) continue;
        const std::string separator = line.empty() && tail.empty() ? "" : "  ";
        if (line.size() + tail.size() + separator.size() + part.size() > width) break;
        tail += separator + part;
    }
    if (state.total > 0 && line.size() + tail.size() + 1 + kLeastBar <= width) {
        const auto room = width - static_cast<unsigned>(line.size() + tail.size()) - 1;
        line += ' ' + bar(fraction(state), std::min(room, kMostBar));
    }
    return (line + tail).substr(0, width);
}

std::string progress_summary(const ProgressState& state) {
    const double seconds = static_cast<double>(state.elapsed.count()) / 1000;
    const double rate = seconds > 0 ? static_cast<double>(state.packets) / seconds : 0;
    return fmt::format("{} packets, {} flows in {:.1f} s ({} packets/s)", state.packets, state.flows, seconds,
                       short_number(rate));
}

ProgressBar::ProgressBar(int descriptor, Clock::time_point start)
    : descriptor_(descriptor), start_(start), previous_(start) {}

void ProgressBar::update(std::uint64_t done, std::uint64_t total, std::uint64_t packets, std::uint64_t flows,
                         Clock::time_point now) {
    const double seconds = std::chrono::duration<double>(now - previous_).count();
    if (seconds > 0) {
        const double rate = static_cast<double>(packets - std::min(packets, state_.packets)) / seconds;
        // smoothed over about a second, so that the digits can be read
        state_.packets_per_second += (state_.packets_per_second == 0 ? 1.0 : 0.2) * (rate - state_.packets_per_second);
    }
    previous_ = now;
    state_.done = done;
    state_.total = total;
    state_.packets = packets;
    state_.flows = flows;
    state_.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - start_);
    if (state_.elapsed < kQuiet) return;
    // the last column stays free: some terminals wrap when it is written; the
    // cursor goes back, so that a log line overwrites the bar
    write(fmt::format("{}{}\r", kClearLine, progress_line(state_, width() - 1)));
    drawn_ = true;
}

void ProgressBar::finish(bool with_summary, std::uint64_t packets, std::uint64_t flows, Clock::time_point now) {
    if (!drawn_) return;
    state_.packets = packets;
    state_.flows = flows;
    state_.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - start_);
    write(std::string(kClearLine) + (with_summary ? progress_summary(state_) + "\n" : std::string()));
    drawn_ = false;
}

unsigned ProgressBar::width() const {
    winsize size{};
    if (::ioctl(descriptor_, TIOCGWINSZ, &size) != 0 || size.ws_col < 2) return 80;
    return size.ws_col;
}

void ProgressBar::write(std::string_view text) const {
    // a terminal that is gone is no reason to stop metering
    [[maybe_unused]] const auto written = ::write(descriptor_, text.data(), text.size());
}

}  // namespace nfstreamd::daemon
