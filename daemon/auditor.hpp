// SPDX-License-Identifier: Apache-2.0
// Asks the threads for their ledgers, now and then and when somebody wants to
// know, and tells when one does not balance. Control thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/log.hpp"
#include "daemon/ledger.hpp"
#include "daemon/pipeline.hpp"

namespace nfstreamd::daemon {

class Auditor {
public:
    using Done = std::function<void(const Ledger&)>;

    Auditor(boost::asio::io_context& context, Pipeline& pipeline, Logger& logger);

    // `done` is called when all threads have answered, 2 s later at the latest.
    void audit(Done done);
    // The same with nobody to be told; large flow tables are not added up.
    void check();
    // All threads have ended. False: the ledger does not balance.
    bool check_at_rest();
    void stop();  // nobody is told any more

    std::uint64_t checks() const noexcept { return checks_; }
    std::uint64_t violations() const noexcept { return violations_; }  // balances that were found broken

private:
    using Clock = std::chrono::steady_clock;
    struct Request {
        std::uint64_t number;
        Clock::time_point deadline;
        Done done;
    };

    void request(std::uint32_t most_entries, Done done);
    void look();
    Ledger judge(const LedgerSnapshot& snapshot, bool at_the_end = false);

    Pipeline& pipeline_;
    Logger& logger_;
    boost::asio::steady_timer timer_;
    std::vector<Request> requests_;
    std::uint64_t last_number_ = 0, checks_ = 0, violations_ = 0;
    std::map<std::string, RateLimit> told_;  // by balance
};

}  // namespace nfstreamd::daemon
