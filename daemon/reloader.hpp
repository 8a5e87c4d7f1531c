// SPDX-License-Identifier: Apache-2.0
// Acts on SIGHUP: loads, compares, prepares what is new, and only when all of
// that succeeded hands it to the pipeline. Requests during a reload are one
// more reload after it. Control thread.
#pragma once
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "config/load.hpp"
#include "daemon/pipeline.hpp"
#include "daemon/reload.hpp"
#include "daemon/status.hpp"

namespace nfstreamd::daemon {

// What one reload came to; who asked for it is told.
struct ReloadOutcome {
    bool applied = false;
    std::string changes = {};                             // of an applied one
    std::vector<std::string> needs_restart = {};          // settings that keep their value
    std::vector<std::string> warnings = {}, errors = {};  // all of them
};

class Reloader {
public:
    using Done = std::function<void(const ReloadOutcome&)>;

    struct Hooks {
        std::function<config::Loaded()> load;
        // the part of a change that is not the pipeline's: log, control socket
        std::function<void(const ReloadPlan&, const config::Config&)> apply;
        std::function<std::string()> summary;  // for systemd's STATUS
        // the last step that may fail, after which everything is applied: where metrics are served
        std::function<Status(const ReloadPlan&, const config::Config&)> prepare;
    };

    Reloader(boost::asio::io_context& context, Pipeline& pipeline, Logger& logger, config::Config running, Hooks hooks);

    void request(Done done = {});
    // Interfaces have come or gone: patterns may match others than before.
    void match_interfaces();
    void stop();  // no reload from now on

    const config::Config& running() const { return running_; }
    const ReloadStatus& status() const { return status_; }

private:
    void begin();
    Result<Rewiring> prepare(const ReloadPlan& plan, const config::Config& wanted);
    Status prepare_exporters(const ReloadPlan& plan, const config::Config& wanted, Rewiring& change);
    Status prepare_captures(const ReloadPlan& plan, const config::Config& wanted, Rewiring& change);
    static Status switch_captures(const std::vector<std::shared_ptr<FanoutGroup>>& groups);
    Status prepare_hooks(const ReloadPlan& plan, const config::Config& wanted, Rewiring& change);
    Status prepare_modules(const ReloadPlan& plan, const config::Config& wanted, Rewiring& change);
    void reject(const std::vector<std::string>& reasons);
    std::vector<std::string> interfaces_to_match();
    enum class Cause { kRequest, kInterfaces };
    void publish(ReloadPlan plan, config::Config wanted, Rewiring change, Cause cause);
    void wait_until_taken(ReloadPlan plan, Cause cause);
    void finish(const ReloadPlan& plan, Cause cause);
    void end(const ReloadOutcome& outcome);
    void tell(std::vector<Done>& waiting, const ReloadOutcome& outcome);

    Pipeline& pipeline_;
    Logger& logger_;
    config::Config running_;
    Hooks hooks_;
    boost::asio::steady_timer timer_;
    ReloadStatus status_;
    std::vector<std::string> warnings_;  // of the present one
    std::vector<Done> waiting_, waiting_for_next_;
    bool busy_ = false, again_ = false, match_again_ = false, stopped_ = false;
    std::set<std::string> not_captured_;  // interfaces that match and cannot be
};

}  // namespace nfstreamd::daemon
