// SPDX-License-Identifier: Apache-2.0
#include "daemon/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "daemon/json_writer.hpp"

namespace nfstreamd::daemon {
namespace {

std::uint64_t sum(const std::vector<LedgerTerm>& terms) noexcept {
    std::uint64_t total = 0;
    for (const auto& term : terms) total += term.count;
    return total;
}

Balance received(const std::string& of, const MeterLedger& ledger) {
    Balance balance{of, "packets received", 0, {}};
    balance.total = ledger.frames + ledger.filtered + ledger.kernel_dropped + ledger.interface_dropped + ledger.unread;
    auto& parts = balance.parts;
    parts = {{"metered", ledger.metered},
             {"filtered", ledger.filtered},
             {"sampled_out", ledger.sampled_out},
             {"hash_filtered", ledger.hash_filtered},
             {"duplicates", ledger.duplicates},
             {"other_shares", ledger.other_shares},
             {"held", ledger.held}};
    for (std::size_t i = 1; i < ledger.ignored.size(); ++i)
        parts.push_back({fmt::format("ignored_{}", nfstreamd::name(static_cast<DecodeResult>(i))), ledger.ignored[i]});
    parts.push_back({"packets_shed", ledger.packets_shed});
    parts.push_back({"kernel_dropped", ledger.kernel_dropped});
    parts.push_back({"interface_dropped", ledger.interface_dropped});
    parts.push_back({"unread", ledger.unread});
    return balance;
}

// A table that is too large to be added up is taken at its word, as long as its
// flows can have so many packets.
Balance metered(const std::string& of, const MeterLedger& ledger) {
    const std::uint64_t elsewhere = ledger.in_records + ledger.discarded;
    const std::uint64_t rest = ledger.metered - std::min(ledger.metered, elsewhere);
    return {of,
            "packets metered",
            ledger.metered,
            {{"in_records", ledger.in_records},
             {"in_table", ledger.summed ? ledger.in_table : std::max(rest, ledger.flows)},
             {"discarded", ledger.discarded}}};
}

Balance made(const std::string& of, const MeterLedger& ledger) {
    return {of, "records made", ledger.made, {{"published", ledger.published}, {"in_batch", ledger.in_batch}}};
}

Balance offered(const std::string& of, const MeterLedger& ledger) {
    return {
        of, "records for exporters", ledger.offered, {{"queued", ledger.pushed}, {"queue_full", ledger.queue_full}}};
}

// What an exporter has taken and not counted yet it holds. It cannot have counted
// more, and holds nothing once it is closed.
Balance exported(const std::string& of, const ExporterLedger& ledger) {
    std::uint64_t counted = ledger.exported;
    for (const auto count : ledger.dropped) counted += count;
    const std::uint64_t held = ledger.closed ? 0 : ledger.taken - std::min(ledger.taken, counted);
    Balance balance{of, "records", ledger.pushed + ledger.queue_full + ledger.recovered, {}};
    auto& parts = balance.parts;
    parts = {{"exported", ledger.exported},       {"in_exporter", held},           {"in_hand", ledger.in_hand},
             {"queued", ledger.queued},           {"in_spool", ledger.in_spool},   {"filtered", ledger.filtered},
             {"sampled_out", ledger.sampled_out}, {"elsewhere", ledger.elsewhere}, {"queue_full", ledger.queue_full}};
    for (std::size_t i = 0; i < ledger.dropped.size(); ++i)
        parts.push_back({std::string(kLossCauses[i].name), ledger.dropped[i]});
    parts.push_back({"undelivered", ledger.undelivered});
    parts.push_back({"spool_full", ledger.spool_full});
    parts.push_back({"spool_failed", ledger.spool_failed});
    parts.push_back({"spool_damaged", ledger.spool_damaged});
    return balance;
}

Balance exported_packets(const std::string& of, const ExporterLedger& ledger) {
    return {of,
            "packets in records",
            ledger.packets_pushed + ledger.packets_queue_full,
            {{"taken", ledger.packets_taken},
             {"in_hand", ledger.packets_in_hand},
             {"queued", ledger.packets_queued},
             {"left_out", ledger.packets_left_out},
             {"queue_full", ledger.packets_queue_full},
             {"undelivered", ledger.packets_undelivered}}};
}

// Threads have answered one after the other: exact when none runs any more.
Balance handed_over(const LedgerSnapshot& snapshot) {
    Balance balance{"daemon", "records handed over", 0, {}, snapshot.at_rest};
    for (const auto& meter : snapshot.meters) balance.total += meter.ledger.pushed;
    for (const auto& exporter : snapshot.exporters) balance.parts.push_back({exporter.name, exporter.ledger.pushed});
    return balance;
}

}  // namespace

std::int64_t Balance::difference() const noexcept {
    return static_cast<std::int64_t>(total - sum(parts));
}

Balance::State Balance::state() const noexcept {
    if (difference() == 0) return State::kBalanced;
    return settled ? State::kBroken : State::kMoving;
}

std::string_view name(Balance::State state) {
    switch (state) {
        case Balance::State::kBalanced:
            return "balanced";
        case Balance::State::kMoving:
            return "moving";
        case Balance::State::kBroken:
            break;
    }
    return "broken";
}

std::string Balance::text() const {
    std::string out;
    for (const auto& part : parts)
        if (part.count != 0) out += fmt::format("{}{} {}", out.empty() ? "" : " + ", part.name, part.count);
    return fmt::format("{} = {}", total, out.empty() ? "0" : out);
}

bool Ledger::broken() const noexcept {
    return std::any_of(balances.begin(), balances.end(),
                       [](const auto& balance) { return balance.state() == Balance::State::kBroken; });
}

std::uint64_t Ledger::moving() const noexcept {
    std::uint64_t count = 0;
    for (const auto& balance : balances)
        if (balance.state() == Balance::State::kMoving)
            count += static_cast<std::uint64_t>(std::abs(balance.difference()));
    return count;
}

Ledger make_ledger(const LedgerSnapshot& snapshot) {
    Ledger ledger;
    for (const auto& meter : snapshot.meters) {
        const std::string of = "meter " + meter.name;
        for (auto* make : {received, metered, made, offered}) {
            ledger.balances.push_back(make(of, meter.ledger));
            ledger.balances.back().current = meter.answered;
        }
    }
    for (const auto& exporter : snapshot.exporters) {
        const std::string of = "exporter " + exporter.name;
        ledger.balances.push_back(exported(of, exporter.ledger));
        ledger.balances.back().current = exporter.answered;
        if (!exporter.ledger.knows_packets) continue;
        ledger.balances.push_back(exported_packets(of, exporter.ledger));
        ledger.balances.back().current = exporter.answered;
    }
    ledger.balances.push_back(handed_over(snapshot));
    return ledger;
}

std::string ledger_json(const Ledger& ledger, std::uint64_t checks, std::uint64_t violations) {
    JsonWriter json;
    json.begin_object();
    json.member("balanced", !ledger.broken());
    json.member("moving", ledger.moving());
    json.member("checks", checks);
    json.member("violations", violations);
    json.key("balances").begin_array();
    for (const auto& balance : ledger.balances) {
        json.begin_object();
        json.member("of", balance.of);
        json.member("name", balance.name);
        json.member("state", name(balance.state()));
        json.member("current", balance.current);
        json.member("difference", balance.difference());
        json.member("total", balance.total);
        json.key("parts").begin_object();
        for (const auto& part : balance.parts) json.member(part.name, part.count);
        json.end_object();
        json.end_object();
    }
    json.end_array();
    json.end_object();
    return json.text();
}

}  // namespace nfstreamd::daemon
