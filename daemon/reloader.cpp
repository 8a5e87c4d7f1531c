// SPDX-License-Identifier: Apache-2.0
#include "daemon/reloader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>

#include "daemon/systemd_notify.hpp"

namespace nfstreamd::daemon {
namespace {

constexpr std::chrono::milliseconds kLook{10};  // a meter takes a change within 100 ms

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Reloader::Reloader(boost::asio::io_context& context, Pipeline& pipeline, Logger& logger, config::Config running,
                   Hooks hooks)
    : pipeline_(pipeline), logger_(logger), running_(std::move(running)), hooks_(std::move(hooks)), timer_(context) {}

void Reloader::request(Done done) {
    if (stopped_) {
        if (done) done({.errors = {"the daemon is stopping"}});
        return;
    }
    if (done) (busy_ ? waiting_for_next_ : waiting_).push_back(std::move(done));
    if (busy_) {
        again_ = true;
        return;
    }
    busy_ = true;
    begin();
}

void Reloader::stop() {
    stopped_ = true;
    timer_.cancel();
    for (auto* waiting : {&waiting_, &waiting_for_next_}) tell(*waiting, {.errors = {"the daemon is stopping"}});
}

void Reloader::tell(std::vector<Done>& waiting, const ReloadOutcome& outcome) {
    for (const Done& done : std::exchange(waiting, {})) done(outcome);
}

void Reloader::begin() {
    notify_reloading();
    status_.result = "running";
    auto loaded = hooks_.load();
    warnings_ = loaded.warnings;
    for (const auto& warning : loaded.warnings) logger_.warning("configuration", {{"warning", warning}});
    if (!loaded.config) {
        std::vector<std::string> reasons;
        for (const auto& error : loaded.errors) reasons.push_back(error.text());
        return reject(reasons);
    }
    if (is_file_run(*loaded.config)) return reject({"capture: a running daemon cannot turn to capture files"});

    const ReloadPlan plan = diff(running_, *loaded.config);
    auto wanted = keep_until_restart(running_, std::move(*loaded.config));
    auto change = prepare(plan, wanted);
    if (!change) return reject({change.error().text()});

    // from here on nothing can fail
    hooks_.apply(plan, wanted);
    running_ = std::move(wanted);
    pipeline_.rewire(std::move(change.value()));
    wait_until_taken(plan);
}

Result<Rewiring> Reloader::prepare(const ReloadPlan& plan, const config::Config& wanted) {
    Rewiring change;
    change.timeouts = wanted.metering;
    change.timeouts_changed = plan.metering_changed;
    change.outputs_changed = plan.exporters_changed();
    if (plan.enrichment_changed) change.enrichment = wanted.metering.enrichment;
    if (auto prepared = prepare_exporters(plan, wanted, change); !prepared) return prepared.error();
    auto prepared = prepare_captures(plan, wanted, change);
    if (prepared) prepared = prepare_modules(plan, wanted, change);
    if (prepared) prepared = hooks_.prepare(plan, wanted);
    if (!prepared) {
        for (auto& meter : change.new_meters) Pipeline::discard(*meter);
        return prepared.error();
    }
    return change;
}

Status Reloader::prepare_exporters(const ReloadPlan& plan, const config::Config& wanted, Rewiring& change) {
    for (const auto& exporter : wanted.exporters) {
        change.exporter_order.push_back(exporter.name);
        if (!contains(plan.exporters_added, exporter.name) && !contains(plan.exporters_replaced, exporter.name))
            continue;
        const auto before = std::find_if(running_.exporters.begin(), running_.exporters.end(),
                                         [&](const auto& running) { return running.name == exporter.name; });
        auto unit = pipeline_.prepare_exporter(
            wanted, before == running_.exporters.end() ? exporter : continuing(*before, exporter));
        if (!unit) return unit.error();
        change.new_exporters.push_back(std::move(unit.value()));
    }
    return ok();
}

Status Reloader::prepare_captures(const ReloadPlan& plan, const config::Config& wanted, Rewiring& change) {
    std::vector<ExporterUnit*> exporters;
    for (const auto& name : change.exporter_order) {
        const auto has_name = [&](const auto& unit) { return unit->config.name == name; };
        const auto fresh = std::find_if(change.new_exporters.begin(), change.new_exporters.end(), has_name);
        exporters.push_back(
            fresh != change.new_exporters.end()
                ? fresh->get()
                : std::find_if(pipeline_.exporters().begin(), pipeline_.exporters().end(), has_name)->get());
    }
    for (const auto& capture : capture_plans(wanted)) {
        change.meter_order.push_back(capture.name);
        if (contains(plan.interfaces_added, capture.name)) {
            auto unit = pipeline_.prepare_meter(capture, wanted.metering, exporters);
            if (!unit) return unit.error();
            change.new_meters.push_back(std::move(unit.value()));
        } else if (contains(plan.interfaces_reopened, capture.name)) {
            auto source = make_source(capture, logger_);
            if (auto opened = source->open(); !opened) return opened;
            change.new_sources[capture.name] = {capture, std::move(source)};
        }
    }
    return ok();
}

Status Reloader::prepare_modules(const ReloadPlan& plan, const config::Config& wanted, Rewiring& change) {
    if (!plan.rules_changed) return ok();
    for (const auto& meter : pipeline_.meters()) {
        if (!contains(change.meter_order, meter->plan.name)) continue;
        auto module = NdpiModule::create(wanted.metering.ndpi);
        if (!module) return module.error();
        change.new_modules.push_back(std::move(module.value()));
    }
    return ok();
}

void Reloader::reject(const std::vector<std::string>& reasons) {
    ++status_.rejected;
    status_.result = "rejected";
    status_.detail = fmt::format("{}", fmt::join(reasons, "; "));
    status_.time = std::time(nullptr);
    for (const auto& reason : reasons) logger_.error("configuration", {{"error", reason}});
    logger_.error("reload rejected, nothing has changed", {{"errors", reasons.size()}});
    notify_ready("reload rejected: " + (reasons.empty() ? std::string() : reasons.front()));
    end({.warnings = warnings_, .errors = reasons});
}

void Reloader::wait_until_taken(ReloadPlan plan) {
    if (pipeline_.rewired()) return finish(plan);
    timer_.expires_after(kLook);
    timer_.async_wait([this, plan = std::move(plan)](const boost::system::error_code& cancelled) {
        if (!cancelled && !stopped_) wait_until_taken(plan);
    });
}

void Reloader::finish(const ReloadPlan& plan) {
    ++status_.applied;
    status_.result = "applied";
    status_.detail = plan.text();
    status_.time = status_.applied_time = std::time(nullptr);
    if (!plan.needs_restart.empty())
        logger_.warning("settings keep their value until a restart",
                        {{"keys", fmt::format("{}", fmt::join(plan.needs_restart, " "))}});
    logger_.info("reload applied", {{"number", status_.applied + status_.rejected}, {"changes", status_.detail}});
    notify_ready(hooks_.summary());
    end({.applied = true, .changes = status_.detail, .needs_restart = plan.needs_restart, .warnings = warnings_});
}

void Reloader::end(const ReloadOutcome& outcome) {
    tell(waiting_, outcome);
    busy_ = false;
    waiting_ = std::exchange(waiting_for_next_, {});
    if (std::exchange(again_, false)) request();
}

}  // namespace nfstreamd::daemon
