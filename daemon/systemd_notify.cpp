// SPDX-License-Identifier: Apache-2.0
#include "daemon/systemd_notify.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include <cstdint>
#include <cstdlib>

namespace nfstreamd::daemon {
namespace {

// A failure to notify leaves nothing to do: systemd notices by its own timeouts.
void notify(const std::string& state) {
    ::sd_notify(0, state.c_str());
}

}  // namespace

void notify_ready(const std::string& status) {
    notify("READY=1\nSTATUS=" + status);
}

void notify_reloading() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto microseconds = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
    notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", microseconds));
}

void notify_status(const std::string& status) {
    notify("STATUS=" + status);
}
void notify_stopping() {
    notify("STOPPING=1\nSTATUS=flushing flows and records");
}
void notify_watchdog() {
    notify("WATCHDOG=1");
}

std::optional<std::chrono::microseconds> watchdog_period() {
    std::uint64_t microseconds = 0;
    if (::sd_watchdog_enabled(0, &microseconds) <= 0 || microseconds == 0) return std::nullopt;
    return std::chrono::microseconds(microseconds);
}

bool stderr_is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    if (!stream || ::fstat(2, &status) != 0) return false;
    return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

const char* priority_prefix(LogLevel level) {
    if (!stderr_is_journal()) return "";
    return level == LogLevel::kError ? "<3>" : level == LogLevel::kWarning ? "<4>" : "<6>";
}

}  // namespace nfstreamd::daemon
