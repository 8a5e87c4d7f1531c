// SPDX-License-Identifier: Apache-2.0
#include "daemon/application.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "core/metering/field_groups.hpp"
#include "daemon/configuration.hpp"
#include "daemon/json_writer.hpp"
#include "daemon/systemd_notify.hpp"
#include "daemon/version.hpp"

namespace nfstreamd::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto kProgressPeriod = 200ms;
constexpr auto kStatusPeriod = 10s;
constexpr auto kFactsPeriod = 1s;
constexpr auto kLedgerPeriod = 10s;
// From the request to stop; with the last calls of an exporter it stays below the service's TimeoutStopSec.
constexpr auto kStopLimit = 18s;
constexpr auto kLastResort = kStopLimit + 4s;  // a service manager may wait for 30

template <class Units, class Name>
std::string names_of(const Units& units, Name name) {
    std::vector<std::string> names;
    for (const auto& unit : units) names.push_back(name(*unit));
    return fmt::format("{}", fmt::join(names, " "));
}

std::string causes_of(const NamedCounts& dropped) {
    std::vector<std::string> causes;
    for (const auto& [cause, count] : dropped)
        if (count > 0) causes.push_back(fmt::format("{}={}", cause, count));
    return fmt::format("{}", fmt::join(causes, " "));
}

// One line without a log's decoration: for what ends a start, people read it.
void print_error(const Error& error) {
    std::fprintf(stderr, "%snfstreamd: %s\n", priority_prefix(LogLevel::kError), error.text().c_str());
}

}  // namespace

Application::Application(CommandLine line, config::Config config)
    : line_(std::move(line)),
      file_run_(is_file_run(config)),
      logger_(log_config(config).level, log_config(config).format),
      pipeline_(context_, logger_, [this] { advance(); }),
      reloader_(context_, pipeline_, logger_, std::move(config),
                {[this] { return load_configuration(line_); },
                 [this](const ReloadPlan& plan, const config::Config& wanted) {
                     const auto log = log_config(wanted);
                     logger_.configure(log.level, log.format);
                     if (plan.control_changed) open_control_socket(wanted.control.socket);
                     if (plan.report_changed) report_every(wanted.performance_report);
                     if (process_watcher_) process_watcher_->follow(wanted.metering);
                 },
                 [this] { return summary(); },
                 [this](const ReloadPlan& plan, const config::Config& wanted) {
                     return plan.metrics_changed ? metrics_.configure(wanted.metrics) : ok();
                 }}),
      auditor_(context_, pipeline_, logger_),
      inquiries_(context_, pipeline_),
      control_(context_,
               [this](std::string_view command, ControlSession::Reply reply) { answer(command, std::move(reply)); }),
      metrics_(context_,
               [this] {
                   return MetricsServer::View{status(), pipeline_.totals(), stopping_};
               }),
      progress_timer_(context_),
      watchdog_timer_(context_),
      status_timer_(context_),
      report_timer_(context_),
      facts_timer_(context_),
      ledger_timer_(context_),
      last_resort_timer_(context_) {}

int Application::run() {
    if (auto started = start(); !started) {
        print_error(started.error());
        return exit_code(started.error().code);
    }
    context_.run();
    return exit_code_;
}

// Everything is opened before the first thread starts: a failure leaves nothing
// behind, not even an emptied output file.
Status Application::start() {
    const auto& config = reloader_.running();
    std::vector<std::unique_ptr<ExporterUnit>> exporters;
    std::vector<ExporterUnit*> outputs;
    for (const auto& exporter : config.exporters) {
        auto unit = pipeline_.prepare_exporter(config, exporter);
        if (!unit) return unit.error();
        outputs.push_back(unit.value().get());
        exporters.push_back(std::move(unit.value()));
    }
    if (config.metering.system_visibility_mode > 0) {
        process_watcher_.emplace(config.metering, logger_);
        pipeline_.observe_processes(process_watcher_->processes());
    }
    std::vector<std::unique_ptr<MeterUnit>> meters;
    auto plans = capture_plans(config);
    const auto left = file_run_ ? std::vector<std::pair<std::string, int>>() : stored_descriptors();
    for (const auto& [name, descriptor] : left) forget_descriptor(name);  // ours from now on
    use_left_captures(plans, left);
    for (const auto& plan : plans) {
        auto unit = pipeline_.prepare_meter(plan, config.metering, outputs);
        if (!unit) return unit.error();
        meters.push_back(std::move(unit.value()));
    }
    signals_.emplace(context_, [this](int number) { on_signal(number); });
    for (auto& exporter : exporters) pipeline_.start(std::move(exporter));
    if (file_run_) pipeline_.seal_exporters();
    for (auto& meter : meters) pipeline_.start(std::move(meter));
    start_services();
    return ok();
}

void Application::start_services() {
    const auto& config = reloader_.running();
    update_facts();
    every(facts_timer_, kFactsPeriod, &Application::update_facts);
    every(ledger_timer_, kLedgerPeriod, &Application::check_ledger);
    if (file_run_) {
        // a bar among records on the same terminal would spoil both
        if (::isatty(2) && !(::isatty(1) && writes_to_stdout(config))) {
            progress_.emplace(2);
            every(progress_timer_, kProgressPeriod, &Application::draw_progress);
        }
        return;
    }
    open_control_socket(config.control.socket);
    serve_metrics(config.metrics);
    link_watcher_.emplace(context_, logger_, [this] {
        if (stopping_) return;
        pipeline_.look_at_interfaces();
        reloader_.match_interfaces();
    });
    if (const auto period = watchdog_period()) every(watchdog_timer_, *period / 2, &Application::feed_watchdog);
    every(status_timer_, kStatusPeriod, &Application::update_status);
    report_every(config.performance_report);
    logger_.info(
        "started",
        {{"version", version()},
         {"instance", config.instance},
         {"interfaces", names_of(pipeline_.meters(), [](const MeterUnit& unit) { return unit.plan.name; })},
         {"exporters", names_of(pipeline_.exporters(), [](const ExporterUnit& unit) { return unit.config.name; })}});
    notify_ready(summary());
}

void Application::open_control_socket(const std::string& path) {
    control_.close();
    if (path.empty()) return;
    if (auto opened = control_.open(path); !opened)
        logger_.warning("no control socket", {{"path", path}, {"error", opened.error().message}});
}

// A daemon without metrics still meters.
void Application::serve_metrics(const config::MetricsConfig& config) {
    if (auto served = metrics_.configure(config); !served)
        logger_.warning("no metrics", {{"listen", config.listen}, {"error", served.error().message}});
}

void Application::on_signal(int number) {
    if (number == SIGHUP) {
        if (file_run_)
            logger_.warning("reload ignored", {{"reason", "a run over capture files ends by itself"}});
        else if (!stopping_)
            reloader_.request();
        return;
    }
    if (std::exchange(interrupted_, true)) {
        std::fprintf(stderr, "nfstreamd: second signal, ending without flushing\n");
        ::_exit(kExitFailure);
    }
    logger_.info("stopping", {{"signal", number == SIGINT ? "SIGINT" : "SIGTERM"}});
    if (number == SIGTERM && !file_run_ && keeps_descriptors()) pipeline_.keep_captures();
    begin_stop();
}

void Application::begin_stop() {
    if (std::exchange(stopping_, true)) return;
    if (!file_run_) notify_stopping();
    reloader_.stop();
    inquiries_.stop();
    pipeline_.stop_meters();
    // A file run waits for its exporters as long as they get on; whoever asks for
    // an end gets it in time.
    if (file_run_ && !interrupted_) return;
    pipeline_.stop_exporters(Clock::now() + kStopLimit);
    last_resort_timer_.expires_after(kLastResort);
    last_resort_timer_.async_wait([this](const boost::system::error_code& cancelled) {
        if (!cancelled) leave_behind();
    });
}

void Application::fail(ExitCode code) {
    if (exit_code_ == kExitOk) exit_code_ = code;
}

void Application::advance() {
    for (const auto& meter : pipeline_.meters()) {
        if (!meter->outcome) continue;
        if (!*meter->outcome && !meter->failure_reported) {
            meter->failure_reported = true;
            const auto& error = meter->outcome->error();
            logger_.error("metering failed", {{"name", meter->plan.name}, {"error", error.text()}});
            fail(exit_code(error.code));
        }
        if (!file_run_) begin_stop();  // an interface that is gone for good ends the daemon
    }
    const bool nobody_listens = !pipeline_.exporters().empty() && pipeline_.exporters_ended();
    if (!pipeline_.meters_ended()) {
        if (file_run_ && nobody_listens) begin_stop();
        return;
    }
    if (stopping_ && !std::exchange(left_stored_, true))
        for (const auto& [name, descriptor] : pipeline_.left_captures()) store_descriptor(name, descriptor);
    if (pipeline_.exporters_ended()) finish();
}

// A library may wait for a resolver longer than we have time. Nothing can be done
// about its thread; what it was to deliver is counted.
void Application::leave_behind() {
    pipeline_.warn_of_hanging_exporters();
    finish();
    std::fflush(nullptr);
    ::_exit(exit_code_);
}

void Application::finish() {
    const auto totals = pipeline_.totals();
    judge_exporters();
    if (const auto limit = reloader_.running().metering.max_nflows; limit > 0 && totals.records == limit)
        logger_.info("max_nflows reached", {{"records", totals.records}, {"flows_discarded", totals.flows_discarded}});
    if (progress_) progress_->finish(exit_code_ == kExitOk, totals.packets, totals.flows_created);
    logger_.info("stopped", {{"packets", totals.packets},
                             {"octets", totals.octets},
                             {"records", totals.records},
                             {"packets_left_out", totals.packets_left_out},
                             {"packets_shed", totals.packets_shed},
                             {"flows_discarded", totals.flows_discarded},
                             {"capture_dropped", totals.capture_dropped},
                             {"unread", totals.unread},
                             {"exported", totals.exported},
                             {"records_left_out", totals.records_left_out},
                             {"export_dropped", totals.export_dropped}});
    if (!auditor_.check_at_rest()) fail(kExitFailure);
    control_.close();
    metrics_.close();
    context_.stop();
}

// A file run must lose nothing, and says so when it did.
void Application::judge_exporters() {
    if (!file_run_) return;
    for (const auto& unit : pipeline_.exporters()) {
        const auto status = exporter_status(*unit->process);
        const bool unreachable = status.connects == 0 && !writes_a_file(unit->config);
        if (unit->process->failed_for_good()) {
            fail(unreachable ? kExitUnavailable : kExitFailure);
        } else if (const auto count = sum(status.dropped); count > 0) {
            fail(kExitFailure);
            logger_.error("records lost", {{"name", status.name},
                                           {"destination", status.destination},
                                           {"records", count},
                                           {"causes", causes_of(status.dropped)},
                                           {"error", status.last_error}});
        }
    }
}

void Application::every(boost::asio::steady_timer& timer, Clock::duration period, void (Application::*action)()) {
    timer.expires_after(period);
    timer.async_wait([this, &timer, period, action](const boost::system::error_code& cancelled) {
        if (cancelled || timer.expiry() > Clock::now()) return;  // or set anew meanwhile
        (this->*action)();
        every(timer, period, action);
    });
}

void Application::draw_progress() {
    const auto totals = pipeline_.totals();
    progress_->update(totals.input_done, totals.input_total, totals.packets, totals.flows_created);
}

void Application::feed_watchdog() {
    if (meters_advance())
        notify_watchdog();
    else
        logger_.error("a meter does not get on", {{"consequence", "the watchdog is not fed"}});
}

// A meter polls ten times a second even while its link is silent or gone.
bool Application::meters_advance() {
    bool all = true;
    std::map<std::uint32_t, std::uint64_t> polls;
    for (const auto& meter : pipeline_.meters()) {
        if (meter->outcome) continue;
        const auto now = meter->process->counters().polls.get();
        const auto before = meter_polls_.find(meter->id());
        all = all && (before == meter_polls_.end() || before->second != now);
        polls[meter->id()] = now;
    }
    meter_polls_ = std::move(polls);
    return all;
}

void Application::update_status() {
    if (!stopping_) notify_status(summary());
}

void Application::check_ledger() {
    auditor_.check();
}

void Application::update_facts() {
    pipeline_.update_facts();
}

// Zero: never. Replaces the period before.
void Application::report_every(std::chrono::seconds period) {
    if (period > 0s)
        every(report_timer_, period, &Application::report);
    else
        report_timer_.expires_at(Clock::time_point::max());
}

void Application::report() {
    const int descriptor = writes_to_stdout(reloader_.running()) ? STDERR_FILENO : STDOUT_FILENO;
    report_.print(descriptor, report_.line(pipeline_.totals(), status(), Clock::now(), std::time(nullptr)));
}

std::string Application::summary() const {
    const auto totals = pipeline_.totals();
    return fmt::format("metering {}: {} packets, {} flows active, {} records exported",
                       names_of(pipeline_.meters(), [](const MeterUnit& unit) { return unit.plan.name; }),
                       totals.packets, totals.flows_active, totals.exported);
}

void Application::answer(std::string_view command, ControlSession::Reply reply) {
    const auto space = std::min(command.find(' '), command.size());
    const std::string_view verb = command.substr(0, space);
    const std::string_view words = command.substr(std::min(space + 1, command.size()));
    if (command == "status") {
        reply(status_json(status()));
    } else if (command == "interfaces") {
        reply(interfaces_json(status()));
    } else if (command == "exporters") {
        reply(exporters_json(status()));
    } else if (command == "expire") {
        pipeline_.expire_all();
        JsonWriter json;
        json.begin_object().member("meters", pipeline_.meters().size()).end_object();
        reply(json.text());
    } else if (verb == "flows") {
        const auto groups = field_groups(reloader_.running().metering);
        if (const auto request = parse_flow_request(words, groups))
            inquiries_.flows(request.value(), groups, std::move(reply));
        else
            reply(error_json(request.error().message));
    } else if (command == "activity") {
        inquiries_.activity(std::move(reply));
    } else if (command == "audit") {
        auditor_.audit([this, reply = std::move(reply)](const Ledger& ledger) {
            reply(ledger_json(ledger, auditor_.checks(), auditor_.violations()));
        });
    } else if (verb == "resend-templates") {
        inquiries_.resend_templates(std::string(words), std::move(reply));
    } else if (command == "reload") {
        answer_reload(std::move(reply));
    } else {
        reply({});
    }
}

void Application::answer_reload(ControlSession::Reply reply) {
    reloader_.request([reply = std::move(reply)](const ReloadOutcome& outcome) {
        JsonWriter json;
        const auto list = [&](const char* name, const std::vector<std::string>& texts) {
            json.key(name).begin_array();
            for (const auto& text : texts) json.value(text);
            json.end_array();
        };
        json.begin_object();
        json.member("applied", outcome.applied);
        json.member("changes", outcome.changes);
        list("needs_restart", outcome.needs_restart);
        list("warnings", outcome.warnings);
        list("errors", outcome.errors);
        json.end_object();
        reply(json.text());
    });
}

DaemonStatus Application::status() const {
    DaemonStatus status;
    status.version = version();
    status.instance = reloader_.running().instance;
    status.started = started_at_;
    status.uptime_s =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - started_).count());
    status.files = reloader_.running().files;
    status.reload = reloader_.status();
    status.ledger = {auditor_.checks(), auditor_.violations()};
    for (const auto& extension : reloader_.running().metering.extensions)
        status.plugins.push_back({std::string(extension->name()), extension->status()});
    if (const auto& tables = reloader_.running().metering.enrichment.tables) status.enrichment = tables->descriptions();
    status.applications = pipeline_.applications();
    for (const auto& meter : pipeline_.meters()) {
        auto& interface = status.interfaces.emplace_back(interface_status(*meter->process));
        for (const auto& link : links_of(meter->plan))
            if (link.options.required) interface.required.insert(link.name);
    }
    for (const auto& exporter : pipeline_.exporters()) status.exporters.push_back(exporter_status(*exporter->process));
    return status;
}

}  // namespace nfstreamd::daemon
