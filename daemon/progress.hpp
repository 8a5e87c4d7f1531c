// SPDX-License-Identifier: Apache-2.0
// The progress bar of a file run, on a terminal's standard error. The line is
// made by a pure function; ProgressBar draws it. Control thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace nfstreamd::daemon {

struct ProgressState {
    std::uint64_t done = 0, total = 0;  // octets of input; total 0: unknown (a pipe)
    std::uint64_t packets = 0, flows = 0;
    double packets_per_second = 0;
    std::chrono::milliseconds elapsed{0};
};

std::string short_number(double number);            // "999", "1.23 k", "45.6 M"
std::string clock_text(std::chrono::seconds time);  // "0:07", "12:34", "1:02:03"

// " 42% [=====>     ]  1.20 M packets  345 k/s  12.3 k flows  0:07 left", never
// longer than `width`: what does not fit is left out, the bar first.
std::string progress_line(const ProgressState& state, unsigned width);
// "1000000 packets, 1234 flows in 3.2 s (312 k packets/s)"
std::string progress_summary(const ProgressState& state);

class ProgressBar {
public:
    using Clock = std::chrono::steady_clock;

    explicit ProgressBar(int descriptor, Clock::time_point start = Clock::now());

    void update(std::uint64_t done, std::uint64_t total, std::uint64_t packets, std::uint64_t flows,
                Clock::time_point now = Clock::now());
    // Clears the line; leaves the summary when the run was long enough for a bar.
    void finish(bool with_summary, std::uint64_t packets, std::uint64_t flows, Clock::time_point now = Clock::now());

private:
    unsigned width() const;
    void write(std::string_view text) const;

    int descriptor_;
    Clock::time_point start_, previous_;
    ProgressState state_;
    bool drawn_ = false;
};

}  // namespace nfstreamd::daemon
