// SPDX-License-Identifier: Apache-2.0
#include "daemon/progress.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

namespace nfstreamd::daemon {
namespace {

using namespace std::chrono_literals;

ProgressState half_way() {
    ProgressState state;
    state.done = 500;
    state.total = 1000;
    state.packets = 1'234'567;
    state.flows = 12'345;
    state.packets_per_second = 345'678;
    state.elapsed = 10s;
    return state;
}

TEST_CASE("short_number: three digits and a unit") {
    const std::pair<double, const char*> rows[] = {{0, "0"},           {999, "999"},       {1000, "1.00 k"},
                                                   {9'994, "9.99 k"},  {12'345, "12.3 k"}, {99'960, "100 k"},
                                                   {345'678, "346 k"}, {999'499, "999 k"}, {999'500, "1.00 M"},
                                                   {1.5e9, "1.50 G"},  {2.5e15, "2500 T"}};
    for (const auto& [number, text] : rows) CHECK(short_number(number) == text);
}

TEST_CASE("clock_text: minutes, then hours") {
    CHECK(clock_text(0s) == "0:00");
    CHECK(clock_text(67s) == "1:07");
    CHECK(clock_text(3599s) == "59:59");
    CHECK(clock_text(3600s) == "1:00:00");
    CHECK(clock_text(90'061s) == "25:01:01");
}

TEST_CASE("progress line: percent, bar, rates and time left") {
    CHECK(progress_line(half_way(), 100) ==
          " 50% [===================>                  ]  1.23 M packets  346 k/s  12.3 k flows  0:10 left");
}

TEST_CASE("progress line: never longer than the terminal, whatever its width") {
    for (unsigned width = 0; width < 200; ++width) {
        CHECK(progress_line(half_way(), width).size() <= width);
        auto pipe = half_way();
        pipe.total = 0;
        CHECK(progress_line(pipe, width).size() <= width);
    }
    CHECK(progress_line(half_way(), 40) == " 50%  1.23 M packets  346 k/s");
}

TEST_CASE("progress line: an input of unknown size has no percentage and no time left") {
    auto state = half_way();
    state.total = state.done = 0;
    CHECK(progress_line(state, 80) == "1.23 M packets  346 k/s  12.3 k flows  0:10");
}

TEST_CASE("progress line: beginning and end") {
    auto state = half_way();
    state.done = 0;
    CHECK(progress_line(state, 100).find("left") == std::string::npos);
    CHECK(progress_line(state, 100).find("  0% [>") == 0);
    state.done = 1500;  // the file grew while it was read
    CHECK(progress_line(state, 100).find("100% [======") == 0);
    CHECK(progress_line(state, 100).find("writing records") != std::string::npos);
}

TEST_CASE("progress summary: totals and mean rate") {
    auto state = half_way();
    CHECK(progress_summary(state) == "1234567 packets, 12345 flows in 10.0 s (123 k packets/s)");
    state.elapsed = 0ms;
    CHECK(progress_summary(state) == "1234567 packets, 12345 flows in 0.0 s (0 packets/s)");
}

struct Pipe {
    std::array<int, 2> ends{};
    Pipe() { REQUIRE(::pipe2(ends.data(), O_NONBLOCK) == 0); }
    ~Pipe() {
        for (const int end : ends) ::close(end);
    }
    std::string text() const {
        char bytes[4096];
        const auto length = ::read(ends[0], bytes, sizeof bytes);
        return length > 0 ? std::string(bytes, static_cast<std::size_t>(length)) : std::string();
    }
};

TEST_CASE("ProgressBar: a run shorter than half a second shows nothing") {
    const Pipe pipe;
    const ProgressBar::Clock::time_point start{};
    ProgressBar bar(pipe.ends[1], start);
    bar.update(1, 10, 5, 1, start + 200ms);
    bar.update(9, 10, 50, 1, start + 400ms);
    bar.finish(true, 55, 2, start + 450ms);
    CHECK(pipe.text().empty());
}

TEST_CASE("ProgressBar: draws over itself and leaves the summary") {
    const Pipe pipe;
    const ProgressBar::Clock::time_point start{};
    ProgressBar bar(pipe.ends[1], start);
    bar.update(5, 10, 1000, 10, start + 1s);
    const auto drawn = pipe.text();
    CHECK(drawn.find("\r\x1b[K 50%") == 0);
    CHECK(drawn.find("1.00 k/s") != std::string::npos);
    CHECK(drawn.back() == '\r');
    bar.finish(true, 2000, 20, start + 2s);
    CHECK(pipe.text() == "\r\x1b[K2000 packets, 20 flows in 2.0 s (1.00 k packets/s)\n");
}

TEST_CASE("ProgressBar: after a failure nothing of it stays") {
    const Pipe pipe;
    const ProgressBar::Clock::time_point start{};
    ProgressBar bar(pipe.ends[1], start);
    bar.update(5, 10, 1000, 10, start + 1s);
    static_cast<void>(pipe.text());
    bar.finish(false, 2000, 20, start + 2s);
    CHECK(pipe.text() == "\r\x1b[K");
}

}  // namespace
}  // namespace nfstreamd::daemon
