// SPDX-License-Identifier: Apache-2.0
// What systemd is told (sd_notify(3)). Does nothing when it did not start us.
// The only part that includes libsystemd. Control thread.
#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "core/base/log.hpp"

namespace nfstreamd::daemon {

void notify_ready(const std::string& status);
void notify_reloading();
void notify_status(const std::string& status);
void notify_stopping();
void notify_watchdog();

// WatchdogSec= of the unit, when it has one.
std::optional<std::chrono::microseconds> watchdog_period();

// Whether standard error is the journal's stream (systemd.exec(5), JOURNAL_STREAM).
bool stderr_is_journal();

// Begins a line on standard error that is for people, at LEVEL of the log: "<3>"
// where the journal takes it for the priority, nothing elsewhere.
const char* priority_prefix(LogLevel level);

}  // namespace nfstreamd::daemon
