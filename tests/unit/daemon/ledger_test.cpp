// SPDX-License-Identifier: Apache-2.0
#include "daemon/ledger.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace nfstreamd::daemon {
namespace {

MeterLedger meter() {
    MeterLedger ledger;
    ledger.frames = 1000, ledger.filtered = 5, ledger.kernel_dropped = 7, ledger.interface_dropped = 1,
    ledger.unread = 4;
    ledger.duplicates = 10, ledger.held = 3, ledger.sampled_out = 102, ledger.packets_shed = 30,
    ledger.hash_filtered = 40, ledger.other_shares = 15;
    ledger.ignored[1] = 50, ledger.ignored.back() = 50;
    ledger.metered = 700;
    ledger.in_records = 500, ledger.in_table = 150, ledger.discarded = 50, ledger.summed = true, ledger.flows = 60;
    ledger.made = 80, ledger.published = 64, ledger.in_batch = 16;
    ledger.offered = 128, ledger.pushed = 100, ledger.queue_full = 28;
    return ledger;
}

ExporterLedger exporter() {
    ExporterLedger ledger;
    ledger.pushed = 100, ledger.queue_full = 28, ledger.recovered = 12;
    ledger.taken = 60, ledger.exported = 40, ledger.dropped = {1, 2, 3, 4};
    ledger.filtered = 11, ledger.sampled_out = 5, ledger.elsewhere = 4;
    ledger.queued = 6, ledger.in_hand = 7, ledger.in_spool = 8;
    ledger.undelivered = 9, ledger.spool_full = 1, ledger.spool_failed = 0, ledger.spool_damaged = 1;
    ledger.knows_packets = true;
    ledger.packets_pushed = 900, ledger.packets_queue_full = 200;
    ledger.packets_taken = 700, ledger.packets_left_out = 90, ledger.packets_queued = 60, ledger.packets_in_hand = 40,
    ledger.packets_undelivered = 10;
    return ledger;
}

LedgerSnapshot snapshot() {
    return {{{"eth0", true, meter()}}, {{"main", true, exporter()}}, true};
}

const Balance& find(const Ledger& ledger, std::string_view name) {
    const auto found = std::find_if(ledger.balances.begin(), ledger.balances.end(),
                                    [name](const auto& balance) { return balance.name == name; });
    REQUIRE(found != ledger.balances.end());
    return *found;
}

std::uint64_t part(const Balance& balance, std::string_view name) {
    const auto found = std::find_if(balance.parts.begin(), balance.parts.end(),
                                    [name](const auto& term) { return term.name == name; });
    REQUIRE(found != balance.parts.end());
    return found->count;
}

}  // namespace

TEST_CASE("ledger: what came in is what went out, is held or was lost") {
    const Ledger ledger = make_ledger(snapshot());
    CHECK(ledger.balances.size() == 7);
    for (const auto& balance : ledger.balances) {
        CAPTURE(balance.name);
        CAPTURE(balance.text());
        CHECK(balance.difference() == 0);
        CHECK(balance.state() == Balance::State::kBalanced);
    }
    CHECK_FALSE(ledger.broken());
    CHECK(find(ledger, "packets received").total == 1017);
    CHECK(find(ledger, "packets metered").text() == "700 = in_records 500 + in_table 150 + discarded 50");
    CHECK(find(ledger, "records made").of == "meter eth0");
    CHECK(part(find(ledger, "records"), "in_exporter") == 10);  // taken and not counted so far
}

TEST_CASE("ledger: a packet or a record that no counter tells of breaks one balance, and one too many does") {
    const auto broken = [](const LedgerSnapshot& changed) {
        std::vector<std::string> names;
        for (const auto& balance : make_ledger(changed).balances)
            if (balance.state() == Balance::State::kBroken) names.push_back(balance.name);
        return names;
    };
    using Names = std::vector<std::string>;
    for (auto member : {&MeterLedger::frames, &MeterLedger::duplicates, &MeterLedger::held, &MeterLedger::sampled_out,
                        &MeterLedger::packets_shed, &MeterLedger::hash_filtered, &MeterLedger::other_shares}) {
        auto changed = snapshot();
        ++(changed.meters[0].ledger.*member);
        CHECK(broken(changed) == Names{"packets received"});
    }
    for (auto member : {&MeterLedger::in_records, &MeterLedger::in_table, &MeterLedger::discarded}) {
        auto changed = snapshot();
        --(changed.meters[0].ledger.*member);
        CHECK(broken(changed) == Names{"packets metered"});
    }
    auto changed = snapshot();
    --changed.meters[0].ledger.ignored[1];
    CHECK(broken(changed) == Names{"packets received"});
    changed = snapshot();
    ++changed.meters[0].ledger.made;
    CHECK(broken(changed) == Names{"records made"});
    changed = snapshot();
    ++changed.meters[0].ledger.queue_full;
    CHECK(broken(changed) == Names{"records for exporters"});
    for (auto member : {&ExporterLedger::filtered, &ExporterLedger::sampled_out, &ExporterLedger::elsewhere,
                        &ExporterLedger::queued, &ExporterLedger::in_hand, &ExporterLedger::in_spool,
                        &ExporterLedger::undelivered, &ExporterLedger::spool_full, &ExporterLedger::spool_failed,
                        &ExporterLedger::spool_damaged, &ExporterLedger::taken, &ExporterLedger::recovered}) {
        changed = snapshot();
        ++(changed.exporters[0].ledger.*member);
        CHECK(broken(changed) == Names{"records"});
    }
    for (auto member :
         {&ExporterLedger::packets_taken, &ExporterLedger::packets_left_out, &ExporterLedger::packets_queued,
          &ExporterLedger::packets_in_hand, &ExporterLedger::packets_undelivered, &ExporterLedger::packets_pushed}) {
        changed = snapshot();
        ++(changed.exporters[0].ledger.*member);
        CHECK(broken(changed) == Names{"packets in records"});
        changed.exporters[0].ledger.knows_packets = false;
        CHECK(broken(changed).empty());
    }
    changed = snapshot();
    ++changed.exporters[0].ledger.pushed;
    ++changed.exporters[0].ledger.queued;
    CHECK(broken(changed) == Names{"records handed over"});
    CHECK(make_ledger(changed).broken());
}

TEST_CASE("ledger: an exporter cannot have counted more than it has taken, nor hold anything once it is closed") {
    auto changed = snapshot();
    auto& ledger = changed.exporters[0].ledger;
    ledger.exported += 10;  // all that was taken
    CHECK_FALSE(make_ledger(changed).broken());
    ledger.closed = true;
    CHECK_FALSE(make_ledger(changed).broken());
    --ledger.exported;
    CHECK(find(make_ledger(changed), "records").difference() == 1);
    ledger.closed = false;
    CHECK_FALSE(make_ledger(changed).broken());
    ledger.exported += 2;
    CHECK(find(make_ledger(changed), "records").difference() == -1);
}

TEST_CASE("ledger: a table that was not added up has at least a packet for each flow, and no more than there are") {
    auto changed = snapshot();
    auto& ledger = changed.meters[0].ledger;
    ledger.summed = false;
    ledger.in_table = 0;
    CHECK_FALSE(make_ledger(changed).broken());
    CHECK(part(find(make_ledger(changed), "packets metered"), "in_table") == 150);
    ledger.in_records += 91;
    CHECK(find(make_ledger(changed), "packets metered").difference() == -1);
    ledger.in_records += 200;
    CHECK(make_ledger(changed).broken());
}

TEST_CASE("ledger: while threads run what is on its way between them breaks nothing") {
    auto changed = snapshot();
    changed.at_rest = false;
    changed.meters[0].ledger.pushed += 5;
    changed.meters[0].ledger.offered += 5;
    const Ledger ledger = make_ledger(changed);
    CHECK_FALSE(ledger.broken());
    CHECK(ledger.moving() == 5);
    CHECK(find(ledger, "records handed over").state() == Balance::State::kMoving);
    changed.at_rest = true;
    CHECK(make_ledger(changed).broken());
}

TEST_CASE("ledger: sums of what has gone balance as their parts do") {
    auto changed = snapshot();
    changed.meters[0].ledger += meter();
    changed.exporters[0].ledger += exporter();
    CHECK_FALSE(make_ledger(changed).broken());
    CHECK(find(make_ledger(changed), "packets received").total == 2034);
    CHECK(find(make_ledger(changed), "records").total == 280);
}

}  // namespace nfstreamd::daemon
