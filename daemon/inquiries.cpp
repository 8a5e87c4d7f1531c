// SPDX-License-Identifier: Apache-2.0
#include "daemon/inquiries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "daemon/json_writer.hpp"
#include "exporters/encode/json_encoder.hpp"

namespace nfstreamd::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 5ms;
constexpr auto kFlowPatience = 5s, kActivityPatience = 2s, kTemplatePatience = 5s;
constexpr auto kLastChance = 1s;  // after a question was withdrawn
constexpr auto kActivityIsFresh = 500ms;

template <class Asked>
bool all_done(const std::vector<std::shared_ptr<Asked>>& asked) {
    return std::all_of(asked.begin(), asked.end(), [](const auto& one) { return one->done(); });
}

template <class Asked>
void cancel_all(const std::vector<std::shared_ptr<Asked>>& asked) {
    for (const auto& one : asked) one->cancel();
}

// Every meter has sorted its own flows.
std::string flows_json(const std::vector<std::shared_ptr<FlowListing>>& asked, const FlowRequest& request,
                       const FieldGroups& groups) {
    std::vector<const FlowRecord*> records;
    std::uint64_t flows = 0, matching = 0;
    bool complete = true;
    for (const auto& listing : asked) {
        complete = complete && listing->done() && listing->complete();
        if (!listing->done()) continue;  // its meter hangs; what it has is its own
        flows += listing->flows;
        matching += listing->matching;
        for (const FlowRecord& record : listing->found.records) records.push_back(&record);
    }
    std::stable_sort(records.begin(), records.end(), [&](const FlowRecord* a, const FlowRecord* b) {
        return rank_of(*a, request.order) > rank_of(*b, request.order);
    });
    if (records.size() > request.limit) records.resize(request.limit);
    const exporters::JsonEncoder encoder(nfstream_fields(groups));
    std::string text = "{\"flows\":[";
    for (const FlowRecord* record : records) {
        if (text.back() != '[') text += ',';
        encoder.encode(*record, text);
        text.pop_back();  // its newline
    }
    JsonWriter rest;
    rest.begin_object();
    rest.member("looked_at", flows);
    rest.member("matching", matching);
    rest.member("complete", complete);
    rest.end_object();
    return text + "]," + rest.text().substr(1);
}

double per_second(std::uint64_t count, std::chrono::nanoseconds window) {
    return static_cast<double>(count) / std::chrono::duration<double>(window).count();
}

std::uint64_t rounded(double rate) {
    return static_cast<std::uint64_t>(rate + 0.5);
}

struct TalkerRates {
    double sent_bits = 0, received_bits = 0, sent_packets = 0, received_packets = 0;
    std::uint64_t flows = 0;
    double weight() const { return sent_bits + received_bits; }
};
struct ApplicationRates {
    double bits = 0, packets = 0;
    std::uint64_t flows = 0;
    double weight() const { return bits; }
};

template <class Map>
auto by_weight(const Map& map) {
    std::vector<const typename Map::value_type*> sorted;
    for (const auto& entry : map) sorted.push_back(&entry);
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto* a, const auto* b) { return a->second.weight() > b->second.weight(); });
    return sorted;
}

// Rates of each meter over its own window, then their sums.
std::string activity_json(const std::vector<std::shared_ptr<FlowActivity>>& asked) {
    std::map<std::string, TalkerRates> talkers;
    std::map<std::string, ApplicationRates> applications;
    std::uint64_t flows = 0, active = 0;
    std::chrono::nanoseconds window{0};
    double error = 0;
    bool complete = true;
    for (const auto& activity : asked) {
        complete = complete && activity->done() && activity->complete();
        if (!activity->done()) continue;
        flows += activity->flows;
        if (activity->window <= 0ns) continue;
        active += activity->active;
        const auto span = activity->window;
        window = std::max(window, span);
        error += 8 * per_second(activity->talker_error, span);
        for (const auto& [address, talker] : activity->talkers) {
            TalkerRates& rates = talkers[to_string(address)];
            rates.sent_bits += 8 * per_second(talker.sent_octets, span);
            rates.received_bits += 8 * per_second(talker.received_octets, span);
            rates.sent_packets += per_second(talker.sent_packets, span);
            rates.received_packets += per_second(talker.received_packets, span);
            rates.flows += talker.flows;
        }
        for (const auto& application : activity->applications) {
            ApplicationRates& rates = applications[application.name];
            rates.bits += 8 * per_second(application.octets, span);
            rates.packets += per_second(application.packets, span);
            rates.flows += application.flows;
        }
    }
    JsonWriter json;
    json.begin_object();
    json.member("window_ms", std::chrono::duration_cast<std::chrono::milliseconds>(window).count());
    json.member("complete", complete);
    json.member("flows", flows);
    json.member("active_flows", active);
    json.member("talker_error_bits_per_s", rounded(error));
    json.key("talkers").begin_array();
    for (const auto* entry : by_weight(talkers)) {
        const auto& [address, rates] = *entry;
        json.begin_object();
        json.member("address", address);
        json.member("sent_bits_per_s", rounded(rates.sent_bits));
        json.member("received_bits_per_s", rounded(rates.received_bits));
        json.member("sent_packets_per_s", rounded(rates.sent_packets));
        json.member("received_packets_per_s", rounded(rates.received_packets));
        json.member("flows", rates.flows);
        json.end_object();
    }
    json.end_array();
    json.key("applications").begin_array();
    for (const auto* entry : by_weight(applications)) {
        const auto& [name, rates] = *entry;
        json.begin_object();
        json.member("name", name);
        json.member("bits_per_s", rounded(rates.bits));
        json.member("packets_per_s", rounded(rates.packets));
        json.member("flows", rates.flows);
        json.end_object();
    }
    json.end_array();
    json.end_object();
    return json.text();
}

bool is_called(const ExporterUnit& unit, const std::string& name) {
    return name.empty() || unit.config.name == name || unit.config.name.starts_with(name + "/");
}

std::string_view outcome_name(ExportingProcess::Announcement outcome) {
    switch (outcome) {
        case ExportingProcess::Announcement::kDone:
            return "sent";
        case ExportingProcess::Announcement::kWithNextSession:
            return "down";
        case ExportingProcess::Announcement::kNone:
            return "none";
        case ExportingProcess::Announcement::kPending:
            break;
    }
    return "pending";
}

}  // namespace

void Inquiries::flows(const FlowRequest& request, const FieldGroups& groups, Reply reply) {
    if (flow_questions_ >= kMostAtOnce) return reply(error_json("too many questions about flows at once, try again"));
    ++flow_questions_;
    std::vector<std::shared_ptr<FlowListing>> asked;
    for (const auto& meter : pipeline_.meters()) {
        auto listing = std::make_shared<FlowListing>();
        listing->filter = request.filter;
        listing->order = request.order;
        listing->limit = request.limit;
        meter->process->ask(listing);
        asked.push_back(std::move(listing));
    }
    wait_for(
        kFlowPatience, [asked] { return all_done(asked); }, [asked] { cancel_all(asked); },
        [this, asked, request, groups, reply = std::move(reply)] {
            --flow_questions_;
            reply(flows_json(asked, request, groups));
        });
}

void Inquiries::activity(Reply reply) {
    if (!last_activity_.empty() && Clock::now() - last_activity_at_ < kActivityIsFresh) return reply(last_activity_);
    want_activity_.push_back(std::move(reply));
    if (want_activity_.size() > 1) return;  // that is under way
    std::vector<std::shared_ptr<FlowActivity>> asked;
    for (const auto& meter : pipeline_.meters()) {
        asked.push_back(std::make_shared<FlowActivity>());
        meter->process->ask(asked.back());
    }
    wait_for(
        kActivityPatience, [asked] { return all_done(asked); }, [asked] { cancel_all(asked); },
        [this, asked] { answer_activity(asked); });
}

void Inquiries::answer_activity(const std::vector<std::shared_ptr<FlowActivity>>& asked) {
    last_activity_ = activity_json(asked);
    last_activity_at_ = Clock::now();
    for (const Reply& reply : std::exchange(want_activity_, {})) reply(last_activity_);
}

void Inquiries::resend_templates(const std::string& name, Reply reply) {
    struct Asked {
        std::string name;
        const ExportingProcess* process;
        std::uint64_t id, number, before;
        ExportingProcess::Announcement outcome = ExportingProcess::Announcement::kPending;
        std::uint64_t messages = 0;
    };
    auto asked = std::make_shared<std::vector<Asked>>();
    for (const auto& unit : pipeline_.exporters()) {
        if (!is_called(*unit, name)) continue;
        const std::uint64_t before = unit->process->counters().templates.get();
        asked->push_back(
            {unit->config.name, unit->process.get(), unit->id, unit->process->request_announcement(), before});
    }
    if (asked->empty()) {
        std::string names;
        for (const auto& unit : pipeline_.exporters())
            names += fmt::format("{}{}", names.empty() ? "" : ", ", unit->config.name);
        return reply(error_json(names.empty() ? std::string("there is no exporter")
                                              : fmt::format("there is no exporter '{}', only {}", name, names)));
    }
    const auto look = [this, asked] {
        bool all = true;
        for (Asked& one : *asked) {
            if (one.outcome != ExportingProcess::Announcement::kPending) continue;
            // a reload may have taken it away
            const auto& units = pipeline_.exporters();
            const bool there = std::any_of(units.begin(), units.end(), [&](const auto& u) { return u->id == one.id; });
            one.outcome = there ? one.process->announcement(one.number) : ExportingProcess::Announcement::kNone;
            if (there) one.messages = one.process->counters().templates.get() - one.before;
            all = all && one.outcome != ExportingProcess::Announcement::kPending;
        }
        return all;
    };
    wait_for(kTemplatePatience, look, nullptr, [asked, reply = std::move(reply)] {
        JsonWriter json;
        json.begin_object().key("exporters").begin_array();
        for (const Asked& one : *asked) {
            json.begin_object();
            json.member("name", one.name);
            json.member("result", outcome_name(one.outcome));
            json.member("template_messages", one.messages);
            json.end_object();
        }
        json.end_array().end_object();
        reply(json.text());
    });
}

void Inquiries::wait_for(std::chrono::milliseconds patience, std::function<bool()> done, std::function<void()> cancel,
                         std::function<void()> answer) {
    const auto until = Clock::now() + patience;
    pending_.push_back({until, until + kLastChance, std::move(done), std::move(cancel), std::move(answer)});
    if (pending_.size() == 1) look_later();
}

void Inquiries::look_later() {
    timer_.expires_after(kLook);
    timer_.async_wait([this](const boost::system::error_code& cancelled) {
        if (!cancelled) look();
    });
}

void Inquiries::look() {
    const auto now = Clock::now();
    for (auto it = pending_.begin(); it != pending_.end();) {
        Pending& pending = *it;
        if (now >= pending.cancel_at && !std::exchange(pending.cancelled, true) && pending.cancel) pending.cancel();
        const bool over = pending.done() || now >= (pending.cancel ? pending.give_up_at : pending.cancel_at);
        if (over) {
            const auto answer = std::move(pending.answer);
            it = pending_.erase(it);
            answer();
        } else {
            ++it;
        }
    }
    if (!pending_.empty()) look_later();
}

void Inquiries::stop() {
    for (Pending& pending : pending_) pending.cancel_at = pending.give_up_at = Clock::now();
}

}  // namespace nfstreamd::daemon
