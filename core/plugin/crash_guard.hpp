// SPDX-License-Identifier: Apache-2.0
// For as long as one is there, a crash of its thread ends the process with a
// line that names the plugin and with the status of a wrong configuration: code
// of others runs as soon as it is loaded. Any thread; those of two wait for each
// other.
#pragma once
#include <signal.h>

#include <array>
#include <mutex>
#include <string_view>

namespace nfstreamd {

class CrashGuard {
public:
    explicit CrashGuard(std::string_view path);
    ~CrashGuard();
    CrashGuard(const CrashGuard&) = delete;
    CrashGuard& operator=(const CrashGuard&) = delete;

private:
    static constexpr std::array kSignals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    static std::mutex one_;
    const std::lock_guard<std::mutex> lock_{one_};
    std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace nfstreamd
