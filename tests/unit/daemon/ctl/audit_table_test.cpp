// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/audit_table.hpp"

#include <doctest/doctest.h>

#include "daemon/ledger.hpp"

namespace nfstreamd::ctl {
namespace {

AuditTable table_of(const daemon::Ledger& ledger) {
    auto table = audit_table(daemon::ledger_json(ledger, 12, 0));
    REQUIRE_MESSAGE(table.has_value(), (table ? "" : table.error().message));
    return table.value();
}

}  // namespace

TEST_CASE("audit table: balances under their owner, without what is zero") {
    daemon::Ledger ledger;
    ledger.balances = {{"meter eth0", "packets received", 1000, {{"metered", 993}, {"ignored_not-ip", 7}, {"held", 0}}},
                       {"meter eth0", "records made", 0, {{"published", 0}}},
                       {"exporter main", "records", 5, {{"exported", 5}}, true, false}};
    const auto table = table_of(ledger);
    CHECK(table.balanced);
    CHECK(table.text ==
          "meter eth0\n"
          "  packets received  1000  = metered 993 + ignored_not-ip 7\n"
          "  records made         0  = 0\n"
          "exporter main\n"
          "  records              5  = exported 5   (as of before)\n"
          "balanced: 12 checks since the start, 0 violations\n");
}

TEST_CASE("audit table: what is missing is said, and long sums are broken") {
    daemon::Ledger ledger;
    daemon::Balance broken{"exporter main", "records", 1000, {}};
    for (int i = 0; i < 8; ++i) broken.parts.push_back({"a_cause_of_some_length", 100});
    ledger.balances = {broken, {"daemon", "records handed over", 7, {{"main", 5}}, false}};
    const auto table = table_of(ledger);
    CHECK_FALSE(table.balanced);
    CHECK(table.text.find("(BROKEN, missing: 200)") != std::string::npos);
    CHECK(table.text.find("(in flight: 2)") != std::string::npos);
    CHECK(table.text.find("\n                             + a_cause_of_some_length 100") != std::string::npos);
    CHECK(table.text.find("NOT BALANCED") != std::string::npos);
}

TEST_CASE("audit table: an answer that is none is an error") {
    CHECK_FALSE(audit_table("{").has_value());
    CHECK_FALSE(audit_table("{\"error\":\"unknown command 'audit'\"}").has_value());
}

}  // namespace nfstreamd::ctl
