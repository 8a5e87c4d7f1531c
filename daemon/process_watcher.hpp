// SPDX-License-Identifier: Apache-2.0
// The thread that polls the kernel's socket tables for the processes of local
// flows (system_visibility_mode). Made and destroyed by the control thread.
#pragma once
#include <memory>
#include <thread>

#include "core/base/log.hpp"
#include "core/host/process_table.hpp"
#include "core/metering/metering_options.hpp"

namespace nfstreamd::daemon {

class ProcessWatcher {
public:
    // Has looked once when it returns, and warned if it must not see much.
    ProcessWatcher(const MeteringOptions& options, Logger& logger);

    std::shared_ptr<const ProcessTable> processes() const { return table_; }
    void follow(const MeteringOptions& options);  // another idle timeout

private:
    void warn(const Status& polled);

    Logger& logger_;
    const std::shared_ptr<ProcessTable> table_;
    std::jthread thread_;  // last: it uses the others
};

}  // namespace nfstreamd::daemon
