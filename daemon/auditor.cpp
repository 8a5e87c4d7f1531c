// SPDX-License-Identifier: Apache-2.0
#include "daemon/auditor.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace nfstreamd::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 2ms;
constexpr auto kPatience = 2s;  // an exporter may be in a call that long, and longer
// Of a flow table, to be added up beside the work: a millisecond or two.
constexpr std::uint32_t kMostEntries = 1u << 16;
constexpr std::chrono::seconds kTellAgain{60};

bool all_answered(const LedgerSnapshot& snapshot) {
    const auto answered = [](const auto& part) { return part.answered; };
    return std::all_of(snapshot.meters.begin(), snapshot.meters.end(), answered) &&
           std::all_of(snapshot.exporters.begin(), snapshot.exporters.end(), answered);
}

}  // namespace

Auditor::Auditor(boost::asio::io_context& context, Pipeline& pipeline, Logger& logger)
    : pipeline_(pipeline), logger_(logger), timer_(context) {}

void Auditor::audit(Done done) {
    request(std::numeric_limits<std::uint32_t>::max(), std::move(done));
}

void Auditor::check() {
    request(kMostEntries, [](const Ledger&) {});
}

void Auditor::request(std::uint32_t most_entries, Done done) {
    requests_.push_back({++last_number_, Clock::now() + kPatience, std::move(done)});
    pipeline_.request_ledgers(last_number_, most_entries);
    if (requests_.size() == 1) look();
}

// A reload may bring parts that were not asked: they are, with the next request.
void Auditor::look() {
    timer_.expires_after(kLook);
    timer_.async_wait([this](const boost::system::error_code& cancelled) {
        if (cancelled) return;
        const auto now = Clock::now();
        while (!requests_.empty()) {
            const auto snapshot = pipeline_.ledgers(requests_.front().number);
            if (!all_answered(snapshot) && now < requests_.front().deadline) break;
            const Request request = std::move(requests_.front());
            requests_.erase(requests_.begin());
            request.done(judge(snapshot));
        }
        if (!requests_.empty()) look();
    });
}

Ledger Auditor::judge(const LedgerSnapshot& snapshot, bool at_the_end) {
    Ledger ledger = make_ledger(snapshot);
    ++checks_;
    for (const auto& balance : ledger.balances) {
        if (balance.state() != Balance::State::kBroken) continue;
        ++violations_;
        auto& limit = told_.try_emplace(balance.of + balance.name, kTellAgain).first->second;
        const auto suppressed = at_the_end ? 0 : limit.admit();
        if (suppressed < 0) continue;
        logger_.error("the ledger does not balance", {{"of", balance.of},
                                                      {"balance", balance.name},
                                                      {"counts", balance.text()},
                                                      {"missing", balance.difference()},
                                                      {"suppressed", suppressed}});
    }
    return ledger;
}

bool Auditor::check_at_rest() {
    stop();
    const auto snapshot = pipeline_.ledgers(kLastLedger);
    const Ledger ledger = judge(snapshot, true);
    if (ledger.broken()) return false;
    std::uint64_t received = 0, metered = 0, records = 0;
    for (const auto& meter : snapshot.meters) {
        received += meter.ledger.frames + meter.ledger.filtered + meter.ledger.kernel_dropped +
                    meter.ledger.interface_dropped + meter.ledger.unread;
        metered += meter.ledger.metered;
        records += meter.ledger.made;
    }
    logger_.info("ledger balanced", {{"balances", ledger.balances.size()},
                                     {"packets_received", received},
                                     {"packets_metered", metered},
                                     {"records_made", records},
                                     {"checks", checks_},
                                     {"violations", violations_}});
    return true;
}

void Auditor::stop() {
    timer_.cancel();
    requests_.clear();
}

}  // namespace nfstreamd::daemon
