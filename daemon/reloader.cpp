// SPDX-License-Identifier: Apache-2.0
#include "daemon/reloader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <set>

#include "core/capture/fanout.hpp"
#include "daemon/models.hpp"
#include "daemon/plugins.hpp"
#include "daemon/systemd_notify.hpp"

namespace nfstreamd::daemon {
namespace {

constexpr std::chrono::milliseconds kLook{10};  // a meter takes a change within 100 ms

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// Prepares what meters capture from now on, beside what they capture now.
class CapturePreparation {
public:
    CapturePreparation(const Pipeline& pipeline, Logger& logger) : logger_(logger) {
        for (const auto& meter : pipeline.meters())
            for (const auto& link : links_of(meter->plan)) running_[link.name] = link.fanout.group;
    }

    // Captures that follow those of the same interface, whichever meter has these.
    Status open_beside(const Link& link) {
        const auto before = running_.find(link.name);
        if (before == running_.end() || !opened_.insert(link.fanout.group.get()).second) return ok();
        if (auto opened = link.fanout.group->open_beside(before->second, logger_); !opened) return opened;
        switched_.push_back(link.fanout.group);
        return ok();
    }

    Result<CaptureRewiring> rewire(MeterUnit& meter, CapturePlan wanted) {
        CaptureRewiring made{std::move(wanted)};
        auto before = links_of(meter.plan);
        if (!made.plan.members.empty() && differs_in_company(meter.plan, made.plan))
            made.regrouping = make_regrouping(made.plan);
        for (const auto& link : links_of(made.plan)) {
            const auto present =
                std::find_if(before.begin(), before.end(), [&](const Link& other) { return other.name == link.name; });
            auto status = present == before.end() ? add(link, *made.regrouping) : change(meter, *present, link, made);
            if (!status) return status.error();
        }
        return made;
    }

    std::vector<std::shared_ptr<FanoutGroup>> take_switched() { return std::move(switched_); }

private:
    static bool differs_in_company(const CapturePlan& a, const CapturePlan& b) {
        return a.merge != b.merge ||
               !std::equal(a.members.begin(), a.members.end(), b.members.begin(), b.members.end(),
                           [](const auto& one, const auto& other) { return one.name == other.name; });
    }

    Status add(const Link& link, Regrouping& regrouping) {
        if (auto opened = open_beside(link); !opened) return opened;
        auto source = make_live_source(link.name, link.options, logger_, link.fanout);
        if (auto opened = source->open(); !opened) return opened;
        regrouping.added.push_back(std::move(source));
        return ok();
    }

    // All meters of an interface alike, as the first one can.
    Status change(MeterUnit& meter, const Link& present, const Link& wanted, CaptureRewiring& made) {
        if (present.options == wanted.options) {
            wanted.fanout = present.fanout;
            return ok();
        }
        CaptureChange change{wanted.options};
        bool in_place = same_ring(present.options, wanted.options);
        if (in_place) {
            auto prepared = meter.process->prepare_capture(wanted.name, wanted.options);
            if (!prepared) return prepared.error();
            const auto [decided, first] = in_place_.try_emplace(wanted.name, !prepared.value().needs_ring);
            in_place = decided->second;
            if (in_place && prepared.value().needs_ring)
                return Error{ErrorCode::kIo, "not all of its meters can have this filter", wanted.name};
            change = std::move(prepared.value());
        }
        if (in_place) {
            wanted.fanout = present.fanout;
        } else {
            if (auto opened = open_beside(wanted); !opened) return opened;
            change.filter = nullptr;
            change.successor = wanted.fanout;
        }
        made.captures.emplace(wanted.name, std::move(change));
        return ok();
    }

    Logger& logger_;
    std::map<std::string, std::shared_ptr<FanoutGroup>> running_;  // by interface
    std::set<const FanoutGroup*> opened_;
    std::map<std::string, bool> in_place_;
    std::vector<std::shared_ptr<FanoutGroup>> switched_;
};

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

    daemon::match_interfaces(*loaded.config, interfaces_to_match());
    const ReloadPlan plan = diff(running_, *loaded.config);
    auto wanted = keep_until_restart(running_, std::move(*loaded.config));
    auto change = prepare(plan, wanted);
    if (!change) return reject({change.error().text()});

    publish(plan, std::move(wanted), std::move(change.value()), Cause::kRequest);
}

// From here on nothing can fail.
void Reloader::publish(ReloadPlan plan, config::Config wanted, Rewiring change, Cause cause) {
    hooks_.apply(plan, wanted);
    running_ = std::move(wanted);
    pipeline_.rewire(std::move(change));
    wait_until_taken(std::move(plan), cause);
}

// One that could not be captured is tried again when it has gone and come.
std::vector<std::string> Reloader::interfaces_to_match() {
    auto present = present_interfaces();
    std::erase_if(not_captured_, [&](const std::string& name) { return !contains(present, name); });
    std::erase_if(present, [this](const std::string& name) { return not_captured_.contains(name); });
    return present;
}

// The same configuration over other interfaces: the same steps.
void Reloader::match_interfaces() {
    if (stopped_) return;
    if (busy_) {
        match_again_ = true;
        return;
    }
    for (;;) {
        const auto present = interfaces_to_match();
        auto wanted = running_;
        if (!daemon::match_interfaces(wanted, present)) return;
        const ReloadPlan plan = diff(running_, wanted);
        if (!plan.interfaces_differ()) return;
        auto change = prepare(plan, wanted);
        if (change) {
            busy_ = true;
            return publish(plan, std::move(wanted), std::move(change.value()), Cause::kInterfaces);
        }
        const auto& error = change.error();
        logger_.warning("interface that matches is not captured",
                        {{"interface", error.where}, {"error", error.message}});
        if (!contains(present, error.where)) return;  // it is something else, and may be better the next time
        not_captured_.insert(error.where);
    }
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
    if (prepared) prepared = prepare_hooks(plan, wanted, change);
    if (prepared) prepared = hooks_.prepare(plan, wanted);
    if (prepared) {
        prepared = switch_captures(change.switched);
        if (!prepared) static_cast<void>(hooks_.prepare(plan, running_));  // back
    }
    if (!prepared) {
        for (auto& meter : change.new_meters) Pipeline::discard(*meter);
        return prepared.error();
    }
    return change;
}

// The last step that may fail: from here on packets come to the new captures.
Status Reloader::switch_captures(const std::vector<std::shared_ptr<FanoutGroup>>& groups) {
    for (auto group = groups.begin(); group != groups.end(); ++group) {
        if ((*group)->switch_over()) continue;
        const int code = errno;
        while (group != groups.begin()) (*--group)->switch_back();
        return Error{ErrorCode::kIo, fmt::format("cannot switch captures: {}", std::strerror(code)), ""};
    }
    return ok();
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
    CapturePreparation captures(pipeline_, logger_);
    for (auto& capture : capture_plans(wanted)) {
        change.meter_order.push_back(capture.name);
        if (contains(plan.interfaces_added, capture.name)) {
            for (const auto& link : links_of(capture))
                if (auto opened = captures.open_beside(link); !opened) return opened;
            auto unit = pipeline_.prepare_meter(capture, wanted.metering, exporters);
            if (!unit) return unit.error();
            change.new_meters.push_back(std::move(unit.value()));
        } else if (contains(plan.interfaces_changed, capture.name) ||
                   contains(plan.interfaces_reopened, capture.name)) {
            const auto meter = std::find_if(pipeline_.meters().begin(), pipeline_.meters().end(),
                                            [&](const auto& unit) { return unit->plan.name == capture.name; });
            auto prepared = captures.rewire(**meter, std::move(capture));
            if (!prepared) return prepared.error();
            change.captures.emplace((*meter)->plan.name, std::move(prepared.value()));
        }
    }
    change.switched = captures.take_switched();
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

// Of plugins and models that a meter has got already it keeps the instance.
Status Reloader::prepare_hooks(const ReloadPlan& plan, const config::Config& wanted, Rewiring& change) {
    if (auto status = check_models(wanted); !status) return status;
    if (!plan.plugins_changed && !plan.models_changed) return ok();
    for (const auto& meter : pipeline_.meters()) {
        if (!contains(change.meter_order, meter->plan.name)) continue;
        auto links = hook_links(running_, wanted, meter->plan.name, logger_);
        if (!links) return links.error();
        change.new_hooks[meter->plan.name] = std::move(links.value());
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

void Reloader::wait_until_taken(ReloadPlan plan, Cause cause) {
    if (pipeline_.rewired()) return finish(plan, cause);
    timer_.expires_after(kLook);
    timer_.async_wait([this, plan = std::move(plan), cause](const boost::system::error_code& cancelled) {
        if (!cancelled && !stopped_) wait_until_taken(plan, cause);
    });
}

void Reloader::finish(const ReloadPlan& plan, Cause cause) {
    if (cause == Cause::kInterfaces) {
        logger_.info("interfaces came or went",
                     {{"added", fmt::format("{}", fmt::join(plan.interfaces_added, " "))},
                      {"removed", fmt::format("{}", fmt::join(plan.interfaces_removed, " "))},
                      {"regrouped", fmt::format("{}", fmt::join(plan.interfaces_reopened, " "))}});
        notify_status(hooks_.summary());
        return end({});
    }
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
    if (std::exchange(again_, false)) return request();
    if (std::exchange(match_again_, false)) match_interfaces();
}

}  // namespace nfstreamd::daemon
