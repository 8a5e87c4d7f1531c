// SPDX-License-Identifier: Apache-2.0
#include "exporters/publish/delivery_ledger.hpp"

#include <doctest/doctest.h>

namespace nfstreamd::exporters {
namespace {

void take(DeliveryLedger& ledger, std::uint32_t records) {
    for (std::uint32_t i = 0; i < records; ++i) ledger.take();
}

std::uint64_t add(DeliveryLedger& ledger, std::uint32_t records) {
    take(ledger, records);
    return ledger.add({records, 2 * records, 100});
}

TEST_CASE("DeliveryLedger: a record counts when its message was delivered") {
    DeliveryLedger ledger;
    const auto message = add(ledger, 3);
    ledger.end_round();
    CHECK(ledger.unsettled() == 3);
    CHECK(ledger.under_way() == 1);
    ledger.settle({message, Outcome::kDelivered});
    CHECK(ledger.totals().records == 3);
    CHECK(ledger.totals().data_records == 6);
    CHECK(ledger.totals().messages == 1);
    CHECK(ledger.totals().octets == 100);
    CHECK(ledger.unsettled() == 0);
    CHECK(ledger.under_way() == 0);
}

TEST_CASE("DeliveryLedger: reports in any order count in the order of the records") {
    DeliveryLedger ledger;
    const auto first = add(ledger, 1);
    ledger.end_round();
    const auto second = add(ledger, 2);
    ledger.end_round();
    const auto third = add(ledger, 4);
    ledger.end_round();
    ledger.settle({third, Outcome::kFailed});
    ledger.settle({second, Outcome::kDelivered});
    CHECK(ledger.totals().settled() == 0);
    CHECK(ledger.unsettled() == 7);
    ledger.settle({first, Outcome::kTooLarge});
    CHECK(ledger.totals().too_large == 1);
    CHECK(ledger.totals().records == 2);
    CHECK(ledger.totals().failed == 4);
    CHECK(ledger.unsettled() == 0);
}

TEST_CASE("DeliveryLedger: messages of one round count together, as records of one lie between those of another") {
    DeliveryLedger ledger;
    const auto one = add(ledger, 2), other = add(ledger, 3);
    ledger.settle({one, Outcome::kDelivered});
    CHECK(ledger.totals().records == 0);
    ledger.end_round();
    CHECK(ledger.totals().records == 0);
    ledger.settle({other, Outcome::kDelivered});
    CHECK(ledger.totals().records == 5);
}

TEST_CASE("DeliveryLedger: what fits no message counts in its turn") {
    DeliveryLedger ledger;
    const auto before = add(ledger, 1);
    ledger.take();
    ledger.drop();
    ledger.end_round();
    CHECK(ledger.totals().too_large == 0);
    CHECK(ledger.unsettled() == 2);
    ledger.settle({before, Outcome::kDelivered});
    CHECK(ledger.totals().too_large == 1);
    CHECK(ledger.unsettled() == 0);
}

TEST_CASE("DeliveryLedger: what is forgotten was never taken, and late reports of it are nobody's") {
    DeliveryLedger ledger;
    const auto first = add(ledger, 1);
    ledger.end_round();
    ledger.settle({first, Outcome::kDelivered});
    const auto second = add(ledger, 5);
    take(ledger, 2);  // in no message yet
    CHECK(ledger.unsettled() == 7);
    ledger.forget();
    CHECK(ledger.unsettled() == 0);
    CHECK(ledger.under_way() == 0);
    ledger.settle({second, Outcome::kDelivered});
    CHECK(ledger.totals().records == 1);
    const auto again = add(ledger, 5);
    CHECK(again != second);
    ledger.end_round();
    ledger.settle({again, Outcome::kDelivered});
    CHECK(ledger.totals().records == 6);
}

TEST_CASE("DeliveryLedger: at the end what was delivered counts, and the rest has failed") {
    DeliveryLedger ledger;
    add(ledger, 1);
    const auto second = add(ledger, 2);
    take(ledger, 4);
    ledger.settle({second, Outcome::kDelivered});
    ledger.give_up();
    CHECK(ledger.totals().records == 2);
    CHECK(ledger.totals().failed == 5);
    CHECK(ledger.unsettled() == 0);
    ledger.give_up();
    CHECK(ledger.totals().failed == 5);
}

TEST_CASE("DeliveryLedger: delivered messages that may be lost are taken back, and what was dropped between them") {
    DeliveryLedger ledger(true);
    for (int i = 0; i < 3; ++i) {
        const auto message = add(ledger, 10);
        ledger.end_round();
        ledger.settle({message, Outcome::kDelivered});
    }
    ledger.take();
    ledger.drop();
    ledger.end_round();
    const auto last = add(ledger, 4);
    ledger.end_round();
    ledger.settle({last, Outcome::kDelivered});
    take(ledger, 2);  // in no message
    CHECK(ledger.totals().records == 34);
    CHECK(ledger.unconfirmed(5) == 37);  // more than there are: an earlier session's do not count
    CHECK(ledger.unconfirmed(2) == 17);
    ledger.forget();
    CHECK(ledger.totals().records == 20);
    CHECK(ledger.totals().messages == 2);
    CHECK(ledger.totals().octets == 200);
    CHECK(ledger.totals().too_large == 0);
    CHECK(ledger.unsettled() == 0);
    CHECK(ledger.unconfirmed(2) == 0);  // of the session that is over
    const auto again = add(ledger, 17);
    ledger.end_round();
    ledger.settle({again, Outcome::kDelivered});
    CHECK(ledger.unconfirmed(1) == 17);
    CHECK(ledger.unconfirmed(0) == 0);
    ledger.forget();
    CHECK(ledger.totals().records == 37);
}

TEST_CASE("DeliveryLedger: what it does not remember is delivered for good") {
    DeliveryLedger ledger;
    const auto message = add(ledger, 10);
    ledger.end_round();
    ledger.settle({message, Outcome::kDelivered});
    CHECK(ledger.unconfirmed(1) == 0);
    ledger.forget();
    CHECK(ledger.totals().records == 10);
}

}  // namespace
}  // namespace nfstreamd::exporters
