// SPDX-License-Identifier: Apache-2.0
// A terminal for a picture: its alternate screen, without echo, put back as it
// was however this ends. One thread; the signals of a terminal are blocked and
// read while one lives.
#pragma once
#include <termios.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>

namespace nfstreamd::ctl {

// Waits for keys and for the signals that end or move a picture; where there is
// no terminal, for signals alone.
class Terminal {
public:
    enum class Event { kNone, kKey, kResized, kEnd };

    // `picture`: standard output is a terminal and shows one.
    explicit Terminal(bool picture);
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    // Keys, or none within the time. Those that send escapes, as arrows do, are none.
    Event wait(std::chrono::milliseconds time, std::string& keys);

    std::size_t width() const;
    std::size_t height() const;
    // The whole screen, line by line. False: it cannot be written any more.
    bool draw(std::span<const std::string> lines);

private:
    void enter();
    void leave() noexcept;
    void suspend();

    const bool picture_;
    const bool has_keys_;
    bool entered_ = false;
    int signals_ = -1;
    termios before_{};
};

// Whether standard output wants colours: a terminal, and no NO_COLOR.
bool wants_colours();
bool speaks_utf8();  // by the locale of the environment

}  // namespace nfstreamd::ctl
