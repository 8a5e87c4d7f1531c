// SPDX-License-Identifier: Apache-2.0
// The log of the process: one event per line on stderr, key=value. A Logger is
// made in main and passed by reference; any thread may call it. Never used per
// packet. Levels: error = an operator must act; warning = data was lost or will
// be; info = life cycle.
#pragma once
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace nfstreamd {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat {
    kText,         // 2026-01-31T12:00:00Z info: interface up name=eth0
    kJournal,      // <6>interface up name=eth0   (sd-daemon(3) priorities)
    kJson,         // {"time":"...","level":"info","event":"interface up","name":"eth0"}
    kJournalJson,  // <6>{"time":...}: the journal keeps the priority and takes it off
};

struct LogField {
    std::string_view key;
    std::string value;

    LogField(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
    LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
    LogField(std::string_view k, const char* v) : key(k), value(v) {}
    LogField(std::string_view k, std::integral auto v) : key(k), value(std::to_string(v)) {}
};

class Logger {
public:
    Logger(LogLevel level, LogFormat format, int descriptor = 2)
        : level_(level), format_(format), descriptor_(descriptor) {}

    void configure(LogLevel level, LogFormat format);

    void debug(std::string_view event, std::initializer_list<LogField> fields = {});
    void info(std::string_view event, std::initializer_list<LogField> fields = {});
    void warning(std::string_view event, std::initializer_list<LogField> fields = {});
    void error(std::string_view event, std::initializer_list<LogField> fields = {});

private:
    void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);

    std::atomic<LogLevel> level_;
    std::atomic<LogFormat> format_;
    int descriptor_;
};

// Lets an event through at most once per period and tells how many were held
// back since. One per repeated event; used by one thread.
class RateLimit {
public:
    explicit RateLimit(std::chrono::seconds period = std::chrono::seconds(10)) : period_(period) {}
    // The number of suppressed events since the last one let through, or -1: keep quiet.
    std::int64_t admit(std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now());

private:
    std::chrono::seconds period_;
    std::chrono::steady_clock::time_point next_{};
    std::int64_t suppressed_ = 0;
};

}  // namespace nfstreamd
