// SPDX-License-Identifier: Apache-2.0
#include "daemon/process_watcher.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "daemon/threads.hpp"

namespace nfstreamd::daemon {
namespace {

using Clock = ProcessTable::Clock;

// A flow is exported when it has been idle; its socket may be gone since its last packet.
constexpr std::chrono::milliseconds kBeyondIdle{5000}, kShortestPoll{1};

// The first process is another user's to a service, and hidden from it unless
// it may look.
bool may_see_others() {
    std::error_code refused;
    const std::filesystem::directory_iterator descriptors("/proc/1/fd", refused);
    return !refused;
}

}  // namespace

ProcessWatcher::ProcessWatcher(const MeteringOptions& options, Logger& logger)
    : logger_(logger), table_(std::make_shared<ProcessTable>(options.idle_timeout + kBeyondIdle)) {
    warn(table_->poll(Clock::now()));
    thread_ = start_thread("processes", [table = table_, period = std::max(options.system_visibility_poll,
                                                                           kShortestPoll)](std::stop_token stop) {
        std::mutex mutex;
        std::condition_variable_any ended;
        std::unique_lock lock(mutex);
        while (!ended.wait_for(lock, stop, period, [&] { return stop.stop_requested(); }))
            static_cast<void>(table->poll(Clock::now()));  // what cannot be read was said at the start
    });
}

void ProcessWatcher::follow(const MeteringOptions& options) {
    table_->set_lifetime(options.idle_timeout + kBeyondIdle);
}

void ProcessWatcher::warn(const Status& polled) {
    constexpr std::string_view kFix = "as a service: install the drop-in visibility.conf, see systemd/README.md";
    if (!polled)
        logger_.warning("the processes of flows cannot be seen", {{"error", polled.error().text()}, {"fix", kFix}});
    else if (const auto hidden = table_->counters().hidden.get(); hidden > 0 || !may_see_others())
        logger_.warning("not every process can be seen, flows of some get no name",
                        {{"hidden", hidden}, {"fix", kFix}});
}

}  // namespace nfstreamd::daemon
