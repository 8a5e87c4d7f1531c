// SPDX-License-Identifier: Apache-2.0
// What systemd is told (sd_notify(3)). Does nothing when it did not start us.
// The only part that includes libsystemd. Control thread.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/log.hpp"

namespace nfstreamd::daemon {

void notify_ready(const std::string& status);
void notify_reloading();
void notify_status(const std::string& status);
void notify_stopping();
void notify_watchdog();

// Sockets that outlive the process (sd_pid_notify_with_fds(3), FDSTORE=1), and those that the one before has left,
// which are ours now. Only a unit with FileDescriptorStoreMax= keeps any: systemd says so by $FDSTORE, from 254 on.
bool keeps_descriptors();
void store_descriptor(const std::string& name, int descriptor);
std::vector<std::pair<std::string, int>> stored_descriptors();
void forget_descriptor(const std::string& name);

// WatchdogSec= of the unit, when it has one.
std::optional<std::chrono::microseconds> watchdog_period();

// Whether standard error is the journal's stream (systemd.exec(5), JOURNAL_STREAM).
bool stderr_is_journal();

// Begins a line on standard error that is for people, at LEVEL of the log: "<3>"
// where the journal takes it for the priority, nothing elsewhere.
const char* priority_prefix(LogLevel level);

}  // namespace nfstreamd::daemon
