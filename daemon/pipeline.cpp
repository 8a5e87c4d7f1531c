// SPDX-License-Identifier: Apache-2.0
#include "daemon/pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <boost/asio/post.hpp>

#include "core/base/random_words.hpp"
#include "core/capture/fanout.hpp"
#include "daemon/threads.hpp"

namespace nfstreamd::daemon {
namespace {

template <class Units>
auto find_name(Units& units, const std::string& name) {
    return std::find_if(units.begin(), units.end(), [&](const auto& unit) {
        if constexpr (requires { unit->config.name; })
            return unit->config.name == name;
        else
            return unit->plan.name == name;
    });
}

// Takes the units of `names` out of `from`, in the order of `names`.
template <class Unit>
std::vector<std::unique_ptr<Unit>> pick(std::vector<std::unique_ptr<Unit>>& from,
                                        const std::vector<std::string>& names) {
    std::vector<std::unique_ptr<Unit>> picked;
    for (const auto& name : names)
        if (const auto found = find_name(from, name); found != from.end()) {
            picked.push_back(std::move(*found));
            from.erase(found);
        }
    return picked;
}

std::int64_t milliseconds_since_1970() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::uint64_t lost(const ExportingProcess& process) {
    std::uint64_t lost =
        process.queue_counters().dropped_full + process.dropped_undelivered() + lost_records(process.counters());
    if (const auto* spool = process.spool_counters())
        lost += spool->dropped_full.get() + spool->dropped_failed.get() + spool->discarded.get();
    return lost;
}

}  // namespace

Pipeline::Pipeline(boost::asio::io_context& context, Logger& logger, std::function<void()> changed)
    : context_(context),
      logger_(logger),
      changed_(std::move(changed)),
      sampling_seed_(random_word()),
      facts_(milliseconds_since_1970()) {}

// After an orderly end every thread has been joined. Otherwise: meters first, as
// they end the queues that exporters wait for.
Pipeline::~Pipeline() {
    for (auto* units : {&meters_, &retiring_meters_})
        for (auto& meter : *units) {
            if (!meter->thread.joinable()) continue;
            meter->thread.request_stop();
            meter->thread.join();
        }
    for (auto* units : {&exporters_, &retiring_exporters_})
        for (auto& exporter : *units) exporter->thread.request_stop();
}

Result<std::unique_ptr<ExporterUnit>> Pipeline::prepare_exporter(const config::Config& config,
                                                                 const config::ExporterConfig& exporter) {
    const std::uint64_t id = next_exporter_id_++;
    auto process =
        make_exporting_process(config, exporter, logger_, {selectors_, facts_.facts(), static_cast<std::uint32_t>(id)});
    if (!process) return process.error();
    auto unit = std::make_unique<ExporterUnit>();
    unit->id = id;
    unit->config = exporter;
    unit->exclusive = is_exclusive(exporter);
    unit->process = std::move(process.value());
    return unit;
}

Result<std::unique_ptr<MeterUnit>> Pipeline::prepare_meter(const CapturePlan& plan, const MeteringOptions& options,
                                                           const std::vector<ExporterUnit*>& exporters) {
    auto unit = std::make_unique<MeterUnit>();
    unit->plan = plan;
    std::vector<std::shared_ptr<RecordQueue>> queues;
    for (auto* exporter : exporters) {
        queues.push_back(exporter->process->add_producer(plan.name));
        unit->outputs[exporter->config.name] = queues.back();
    }
    const auto [point, is_new] = point_ids_.try_emplace(plan.input, static_cast<std::uint32_t>(point_ids_.size() + 1));
    unit->selector = selector_of(plan, point->second);
    Logger& source_logger = plan.offline() && !plan.share.first() ? mute_ : logger_;
    unit->process =
        make_metering_process(plan, point->second, next_meter_id_++, options, make_source(plan, source_logger),
                              std::move(queues), logger_, unit->selector->get());
    if (processes_) unit->process->observe_processes(processes_);
    if (options.max_nflows > 0) {
        if (!budget_) budget_ = std::make_shared<FlowBudget>(options.max_nflows);
        unit->process->set_flow_budget(budget_);
    }
    if (auto opened = unit->process->open(); !opened) {
        discard(*unit);
        return opened.error();
    }
    if (auto applications = unit->process->applications(); !applications.empty())
        facts_.set_applications(std::move(applications));  // all meters have the same rules
    return unit;
}

// One for all meters of an input, as they select alike.
std::shared_ptr<AnnouncedSelector> Pipeline::selector_of(const CapturePlan& plan, std::uint32_t point) {
    PacketSelector wanted{0, point, 0, plan.selection};
    if (wanted.options.sampling.seed == 0) wanted.options.sampling.seed = sampling_seed_;
    auto& announced = announced_[plan.input];
    if (auto present = announced.lock(); present && present->get().options == wanted.options) return present;
    wanted.id = next_selector_id_++;
    if (!wanted.options.hash.fields.empty()) wanted.hash_id = next_selector_id_++;
    if (wanted.options.overload_rate > 1) wanted.overload_id = next_selector_id_++;
    auto made = std::make_shared<AnnouncedSelector>(selectors_, wanted);
    announced = made;
    return made;
}

void Pipeline::discard(MeterUnit& meter) {
    for (auto& [name, queue] : meter.outputs) queue->end_of_stream();
}

void Pipeline::start(std::unique_ptr<ExporterUnit> exporter) {
    if (exporter->exclusive)
        for (const auto& retiring : retiring_exporters_)
            if (retiring->exclusive) exporter->waits_for.insert(retiring->id);
    if (exporter->waits_for.empty()) launch(*exporter);
    exporters_.push_back(std::move(exporter));
}

void Pipeline::launch(ExporterUnit& exporter) {
    exporter.thread = start_thread("export " + exporter.config.name,
                                   [this, process = exporter.process.get(), id = exporter.id](std::stop_token stop) {
                                       process->run(std::move(stop));
                                       boost::asio::post(context_, [this, id] { exporter_ended(id); });
                                   });
    if (exporter.stopping) exporter.thread.request_stop();
}

void Pipeline::start(std::unique_ptr<MeterUnit> meter) {
    meter->thread = start_thread(
        "meter " + meter->plan.name, [this, process = meter->process.get(), id = meter->id()](std::stop_token stop) {
            auto outcome = process->run(std::move(stop));
            boost::asio::post(context_, [this, id, outcome = std::move(outcome)] { meter_ended(id, outcome); });
        });
    meters_.push_back(std::move(meter));
}

void Pipeline::rewire(Rewiring change) {
    // what is not picked below leaves; it retires before successors start
    std::vector<std::string> kept_names;
    std::set<std::string> fresh;
    for (const auto& name : change.exporter_order)
        if (find_name(change.new_exporters, name) == change.new_exporters.end())
            kept_names.push_back(name);
        else
            fresh.insert(name);
    auto kept_exporters = pick(exporters_, kept_names);
    std::vector<std::string> kept_meter_names;
    for (const auto& name : change.meter_order)
        if (find_name(change.new_meters, name) == change.new_meters.end()) kept_meter_names.push_back(name);
    auto kept_meters = pick(meters_, kept_meter_names);
    auto old_exporters = std::exchange(exporters_, std::move(kept_exporters));
    auto old_meters = std::exchange(meters_, std::move(kept_meters));

    switched_.insert(switched_.end(), change.switched.begin(), change.switched.end());
    for (auto& meter : old_meters) retire(std::move(meter));
    for (auto& exporter : old_exporters) retiring_exporters_.push_back(std::move(exporter));
    for (auto& exporter : change.new_exporters) start(std::move(exporter));
    exporters_ = pick(exporters_, change.exporter_order);
    for (auto& meter : meters_) connect(*meter, change, fresh);
    for (auto& meter : change.new_meters) start(std::move(meter));
    meters_ = pick(meters_, change.meter_order);
    // only now, as their queues end when the meters have taken the change
    for (auto& exporter : retiring_exporters_) request_end(*exporter);
}

// Gives a meter that stays its new outputs, timeouts, capture, rules and tables.
void Pipeline::connect(MeterUnit& meter, Rewiring& change, const std::set<std::string>& fresh) {
    const auto capture = change.captures.find(meter.plan.name);
    if (!change.outputs_changed && !change.timeouts_changed && capture == change.captures.end() &&
        change.new_modules.empty() && !change.enrichment && change.new_hooks.empty())
        return;
    MeteringChange wanted;
    static_cast<TimeoutOptions&>(wanted) = change.timeouts;
    wanted.enrichment = change.enrichment;
    if (const auto hooks = change.new_hooks.find(meter.plan.name); hooks != change.new_hooks.end())
        wanted.hooks = std::move(hooks->second);
    std::map<std::string, std::shared_ptr<RecordQueue>> outputs;
    for (const auto& exporter : exporters_) {
        const auto& name = exporter->config.name;
        const auto before = meter.outputs.find(name);
        const bool keeps = before != meter.outputs.end() && !fresh.contains(name);
        auto queue = keeps ? before->second : exporter->process->add_producer(meter.plan.name);
        wanted.outputs.push_back(queue);
        outputs.emplace(name, std::move(queue));
    }
    meter.outputs = std::move(outputs);
    if (capture != change.captures.end()) {
        if (meter.plan.selection != capture->second.plan.selection) {
            meter.selector = selector_of(capture->second.plan, meter.process->point().id);
            wanted.selector = meter.selector->get();
        }
        meter.plan = std::move(capture->second.plan);
        wanted.captures = std::move(capture->second.captures);
        wanted.regrouping = std::move(capture->second.regrouping);
    }
    if (!change.new_modules.empty()) {
        facts_.set_applications(change.new_modules.back()->applications());
        wanted.ndpi_module = std::move(change.new_modules.back());
        change.new_modules.pop_back();
    }
    adoption_target_[meter.id()] = meter.process->adopted() + 1;
    meter.process->adopt(std::move(wanted));
}

bool Pipeline::rewired() {
    const auto has_taken = [this](const auto& meter) {
        const auto target = adoption_target_.find(meter->id());
        return meter->outcome || target == adoption_target_.end() || meter->process->adopted() >= target->second;
    };
    return std::all_of(meters_.begin(), meters_.end(), has_taken) && (close_replaced() || !retiring_meters_.empty());
}

// True: none is left. Those of meters that end take a while.
bool Pipeline::close_replaced() {
    std::erase_if(switched_, [](const auto& group) { return group->close_replaced(); });
    return switched_.empty();
}

void Pipeline::look_at_interfaces() {
    for (const auto& meter : meters_) meter->process->look_at_interfaces();
}

void Pipeline::retire(std::unique_ptr<MeterUnit> meter) {
    meter->process->set_stop_reason(EndReason::kInterfaceGone);
    meter->thread.request_stop();
    retiring_meters_.push_back(std::move(meter));
}

void Pipeline::request_end(ExporterUnit& exporter) {
    exporter.process->seal();
    exporter.stopping = true;
    exporter.thread.request_stop();  // nothing to request while it waits for its predecessor
}

void Pipeline::exporter_ended(std::uint64_t id) {
    const auto has_id = [id](const auto& unit) { return unit->id == id; };
    const auto log_end = [this](const ExporterUnit& unit) {
        logger_.info("exporter closed", {{"name", unit.config.name},
                                         {"records", unit.process->counters().records.get()},
                                         {"filtered", unit.process->filtered()},
                                         {"sampled_out", unit.process->sampled_out()},
                                         {"lost", lost(*unit.process)}});
    };
    if (const auto at = std::find_if(exporters_.begin(), exporters_.end(), has_id); at != exporters_.end()) {
        (*at)->thread.join();
        (*at)->ended = true;
        log_end(**at);
    } else if (const auto gone = std::find_if(retiring_exporters_.begin(), retiring_exporters_.end(), has_id);
               gone != retiring_exporters_.end()) {
        (*gone)->thread.join();
        log_end(**gone);
        warn_of_spool(**gone);
        add(past_, **gone);
        if (!past_exporters_) past_exporters_ = ExporterLedger{.closed = true, .knows_packets = true};
        *past_exporters_ += (*gone)->process->make_ledger(kLastLedger);
        retiring_exporters_.erase(gone);
    }
    for (auto* units : {&exporters_, &retiring_exporters_})
        for (auto& unit : *units)
            if (unit->waits_for.erase(id) > 0 && unit->waits_for.empty()) launch(*unit);
    changed_();
}

// What a removed exporter has left on the disk, and no successor will send.
void Pipeline::warn_of_spool(const ExporterUnit& gone) {
    const auto* spool = gone.process->spool_counters();
    if (spool == nullptr || spool->records.get() == 0) return;
    const auto folder = gone.process->spool_folder();
    for (const auto& exporter : exporters_)
        if (exporter->process->spool_folder() == folder) return;
    logger_.warning("records stay in the spool of an exporter that is no more",
                    {{"name", gone.config.name}, {"path", folder}, {"records", spool->records.get()}});
}

void Pipeline::meter_ended(std::uint32_t id, Status outcome) {
    const auto has_id = [id](const auto& unit) { return unit->id() == id; };
    if (const auto at = std::find_if(meters_.begin(), meters_.end(), has_id); at != meters_.end()) {
        (*at)->thread.join();
        discard(**at);  // a change that came too late brought queues that nobody has ended
        (*at)->outcome = std::move(outcome);
    } else if (const auto gone = std::find_if(retiring_meters_.begin(), retiring_meters_.end(), has_id);
               gone != retiring_meters_.end()) {
        (*gone)->thread.join();
        discard(**gone);
        logger_.info("interface removed",
                     {{"name", (*gone)->plan.name}, {"packets", (*gone)->process->counters().packets.get()}});
        add(past_, **gone);
        (*gone)->process->counters().applications.add_to(past_applications_);
        past_ignored_ += meter_facts(*(*gone)->process).ignored;
        if (!past_meters_) past_meters_.emplace().summed = true;
        *past_meters_ += (*gone)->process->ledger();
        retiring_meters_.erase(gone);
        close_replaced();
    }
    update_facts();
    changed_();
}

void Pipeline::update_facts() {
    std::vector<MeterFacts> meters;
    for (const auto* units : {&meters_, &retiring_meters_})
        for (const auto& meter : *units) meters.push_back(meter_facts(*meter->process));
    facts_.update(meters, past_ignored_, milliseconds_since_1970());
}

void Pipeline::request_ledgers(std::uint64_t number, std::uint32_t most_entries) {
    for (const auto* units : {&meters_, &retiring_meters_})
        for (const auto& meter : *units) meter->process->request_ledger(number, most_entries);
    for (const auto* units : {&exporters_, &retiring_exporters_})
        for (const auto& exporter : *units) exporter->process->request_ledger(number);
}

LedgerSnapshot Pipeline::ledgers(std::uint64_t number) const {
    LedgerSnapshot snapshot;
    const auto add_meter = [&](const MeterUnit& unit, std::string_view remark) {
        const MeterLedger ledger = unit.process->ledger();
        snapshot.meters.push_back({fmt::format("{}{}", unit.plan.name, remark), ledger.number >= number, ledger});
    };
    const auto add_exporter = [&](const ExporterUnit& unit, std::string_view remark) {
        const bool runs = unit.thread.joinable() && !unit.process->settled();
        const ExporterLedger ledger = runs ? unit.process->ledger() : unit.process->make_ledger(number);
        snapshot.exporters.push_back({fmt::format("{}{}", unit.config.name, remark), ledger.number >= number, ledger});
    };
    for (const auto& meter : meters_) add_meter(*meter, "");
    for (const auto& meter : retiring_meters_) add_meter(*meter, " (leaving)");
    for (const auto& exporter : exporters_) add_exporter(*exporter, "");
    for (const auto& exporter : retiring_exporters_) add_exporter(*exporter, " (leaving)");
    if (past_meters_) snapshot.meters.push_back({"(gone)", true, *past_meters_});
    if (past_exporters_) snapshot.exporters.push_back({"(gone)", true, *past_exporters_});
    snapshot.at_rest = meters_ended() && exporters_ended();
    return snapshot;
}

void Pipeline::expire_all() {
    for (auto& meter : meters_) meter->process->request_expire();
}

void Pipeline::stop_meters() {
    for (auto& meter : meters_) meter->thread.request_stop();
}

void Pipeline::keep_captures() {
    for (const auto& meter : meters_)
        for (const auto& link : links_of(meter->plan)) link.fanout.group->keep_over_restart();
}

std::vector<std::pair<std::string, int>> Pipeline::left_captures() const {
    std::vector<std::pair<std::string, int>> found;
    for (const auto& meter : meters_)
        for (const auto& link : links_of(meter->plan)) {
            if (link.fanout.index != 0) continue;
            for (const auto& [member, descriptor, unread] : link.fanout.group->left())
                found.emplace_back(left_name(member, unread, link.fanout.group->ring_name()), descriptor);
        }
    return found;
}

void Pipeline::seal_exporters() {
    for (auto& exporter : exporters_) exporter->process->seal();
}

void Pipeline::stop_exporters(std::chrono::steady_clock::time_point deadline) {
    for (auto& exporter : exporters_) request_end(*exporter);
    const auto now = std::chrono::steady_clock::now();
    const auto is_awaited = [this](std::uint64_t id) {
        return std::any_of(exporters_.begin(), exporters_.end(),
                           [id](const auto& unit) { return unit->waits_for.contains(id); });
    };
    for (auto* units : {&exporters_, &retiring_exporters_})
        for (auto& unit : *units) unit->process->end_by(is_awaited(unit->id) ? now + (deadline - now) / 2 : deadline);
}

bool Pipeline::meters_ended() const {
    return retiring_meters_.empty() &&
           std::all_of(meters_.begin(), meters_.end(), [](const auto& meter) { return meter->outcome.has_value(); });
}

bool Pipeline::exporters_ended() const {
    return retiring_exporters_.empty() &&
           std::all_of(exporters_.begin(), exporters_.end(), [](const auto& exporter) { return exporter->ended; });
}

void Pipeline::warn_of_hanging_exporters() const {
    for (const auto* units : {&exporters_, &retiring_exporters_})
        for (const auto& unit : *units)
            if (!unit->ended)
                logger_.warning("exporter does not come back from a call, it is left behind",
                                {{"name", unit->config.name},
                                 {"destination", unit->process->destination()},
                                 {"records", unit->process->counters().records.get()},
                                 {"lost", lost(*unit->process)}});
}

void Pipeline::add(PipelineTotals& totals, const MeterUnit& meter) const {
    const auto& counters = meter.process->counters();
    const auto capture = meter.process->capture();
    totals.packets += counters.packets.get();
    totals.octets += counters.octets.get();
    totals.packets_left_out += counters.sampled_out.get() + counters.hash_filtered.get();
    totals.packets_shed += counters.packets_shed.get();
    totals.flows_active += counters.flows_active.get();
    totals.flows_created += counters.flows_created.get();
    totals.flows_discarded += counters.flows_discarded.get();
    for (const auto& records : counters.records) totals.records += records.get();
    for (const auto& ignored : counters.ignored) totals.ignored += ignored.get();
    totals.capture_dropped += capture.kernel_dropped + capture.interface_dropped + capture.unread;
    totals.kernel_dropped += capture.kernel_dropped;
    totals.unread += capture.unread;
}

void Pipeline::add(PipelineTotals& totals, const ExporterUnit& exporter) const {
    totals.exported += exporter.process->counters().records.get();
    totals.records_left_out += exporter.process->filtered() + exporter.process->sampled_out();
    totals.export_dropped += lost(*exporter.process);
}

PipelineTotals Pipeline::totals() const {
    PipelineTotals totals = past_;
    for (const auto* units : {&meters_, &retiring_meters_})
        for (const auto& meter : *units) {
            add(totals, *meter);
            const auto progress = meter->process->progress();
            totals.input_done += progress.done / meter->plan.share.count;  // all shares read the same files
            totals.input_total += progress.total / meter->plan.share.count;
        }
    for (const auto* units : {&exporters_, &retiring_exporters_})
        for (const auto& exporter : *units) add(totals, *exporter);
    return totals;
}

ApplicationCountsByName Pipeline::applications() const {
    ApplicationCountsByName totals = past_applications_;
    for (const auto* units : {&meters_, &retiring_meters_})
        for (const auto& meter : *units) meter->process->counters().applications.add_to(totals);
    return totals;
}

}  // namespace nfstreamd::daemon
