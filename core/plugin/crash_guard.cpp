// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/crash_guard.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace nfstreamd {
namespace {

constexpr int kWrongConfiguration = 78;  // EX_CONFIG, as the daemon has it

// What the handler needs is made before: it may call next to nothing.
std::array<char, 512> text;
std::size_t text_size = 0;
thread_local bool guarded = false;

void end(int number) {
    if (!guarded) {  // a crash of another thread is what it would be without us
        ::signal(number, SIG_DFL);
        ::raise(number);
        return;
    }
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text_size);
    ::_exit(kWrongConfiguration);
}

}  // namespace

std::mutex CrashGuard::one_;

CrashGuard::CrashGuard(std::string_view path) {
    const auto size =
        fmt::format_to_n(text.data(), text.size(), "nfstreamd: plugin {}: crashed while it was loaded\n", path).size;
    text_size = std::min(size, text.size());
    guarded = true;
    struct sigaction action {};
    action.sa_handler = &end;
    for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &before_[i]);
}

CrashGuard::~CrashGuard() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
    guarded = false;
}

}  // namespace nfstreamd
