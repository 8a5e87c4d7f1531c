// SPDX-License-Identifier: Apache-2.0
// The accounts of packets and records: what came in is what went out, is held
// or was lost, each with its cause. Pure: counts come in, balances come out.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/export/exporter_ledger.hpp"
#include "core/metering/meter_ledger.hpp"

namespace nfstreamd::daemon {

struct LedgerTerm {
    std::string name;
    std::uint64_t count = 0;
};

struct Balance {
    // Moving: its counts are not of one moment, so that a difference proves nothing.
    enum class State { kBalanced, kMoving, kBroken };

    std::string of;    // "meter eth0"
    std::string name;  // "packets received"
    std::uint64_t total = 0;
    std::vector<LedgerTerm> parts;
    bool settled = true;  // its counts are of one moment
    bool current = true;  // and of the one that was asked for

    std::int64_t difference() const noexcept;  // what is missing from the parts
    State state() const noexcept;
    std::string text() const;  // "1200 = metered 1190 + not-ip 10": parts that are not zero
};
std::string_view name(Balance::State state);

// What the threads have told; a thread that has not answered in time has told something older.
struct LedgerSnapshot {
    struct Meter {
        std::string name;
        bool answered = true;
        MeterLedger ledger;
    };
    struct Exporter {
        std::string name;
        bool answered = true;
        ExporterLedger ledger;
    };
    std::vector<Meter> meters;  // those that have gone included
    std::vector<Exporter> exporters;
    bool at_rest = false;  // all threads have ended
};

struct Ledger {
    std::vector<Balance> balances;

    bool broken() const noexcept;
    std::uint64_t moving() const noexcept;  // packets or records, of balances that are
};
Ledger make_ledger(const LedgerSnapshot& snapshot);

// `checks` and `violations` are those since the start.
std::string ledger_json(const Ledger& ledger, std::uint64_t checks, std::uint64_t violations);

}  // namespace nfstreamd::daemon
