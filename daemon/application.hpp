// SPDX-License-Identifier: Apache-2.0
// The process: builds everything from a checked configuration, runs it until
// its input ends or a signal comes, and takes it down in order. Lives on the
// main thread, which is the control thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "config/config.hpp"
#include "daemon/auditor.hpp"
#include "daemon/command_line.hpp"
#include "daemon/control_server.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/inquiries.hpp"
#include "daemon/link_watcher.hpp"
#include "daemon/metrics/metrics_server.hpp"
#include "daemon/performance_report.hpp"
#include "daemon/pipeline.hpp"
#include "daemon/process_watcher.hpp"
#include "daemon/progress.hpp"
#include "daemon/reloader.hpp"
#include "daemon/signals.hpp"

namespace nfstreamd::daemon {

class Application {
public:
    Application(CommandLine line, config::Config config);

    // Returns the exit code.
    int run();

private:
    using Clock = std::chrono::steady_clock;

    Status start();
    void start_services();
    void open_control_socket(const std::string& path);
    void serve_metrics(const config::MetricsConfig& config);
    void on_signal(int number);
    void advance();  // a thread has ended: what follows from that
    void begin_stop();
    void finish();
    void leave_behind();
    void fail(ExitCode code);
    void judge_exporters();

    void every(boost::asio::steady_timer& timer, Clock::duration period, void (Application::*action)());
    void draw_progress();
    void feed_watchdog();
    void update_status();
    void update_facts();
    void report_every(std::chrono::seconds period);
    void report();
    void check_ledger();
    bool meters_advance();

    void answer(std::string_view command, ControlSession::Reply reply);
    void answer_reload(ControlSession::Reply reply);
    DaemonStatus status() const;
    std::string summary() const;

    const CommandLine line_;
    const bool file_run_;
    boost::asio::io_context context_;  // outlives the threads that post to it
    Logger logger_;
    std::optional<ProcessWatcher> process_watcher_;
    Pipeline pipeline_;
    Reloader reloader_;  // holds the running configuration
    Auditor auditor_;
    Inquiries inquiries_;
    ControlServer control_;
    MetricsServer metrics_;
    std::optional<SignalReader> signals_;
    std::optional<LinkWatcher> link_watcher_;
    std::optional<ProgressBar> progress_;
    boost::asio::steady_timer progress_timer_, watchdog_timer_, status_timer_, report_timer_, facts_timer_,
        ledger_timer_, last_resort_timer_;
    std::map<std::uint32_t, std::uint64_t> meter_polls_;  // at the last look of the watchdog
    const Clock::time_point started_ = Clock::now();
    const std::time_t started_at_ = std::time(nullptr);
    PerformanceReport report_{started_};
    ExitCode exit_code_ = kExitOk;
    bool stopping_ = false, interrupted_ = false, left_stored_ = false;
};

}  // namespace nfstreamd::daemon
