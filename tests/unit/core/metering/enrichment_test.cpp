// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "core/enrichment/enricher.hpp"
#include "core/enrichment/enrichment_tables.hpp"
#include "core/metering/record_publisher.hpp"
#include "tests/support/files.hpp"
#include "tests/unit/core/metering/metered.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

EnrichmentOptions labels(const ScratchFolder& folder, const std::string& label) {
    EnrichmentOptions options;
    options.networks = folder.file("n.csv", "10.0.0.0/8," + label + "\n");
    std::vector<EnrichmentTables::Problem> problems;
    options.tables = EnrichmentTables::load(options, problems);
    REQUIRE(options.tables != nullptr);
    return options;
}

void add_records(RecordPublisher& publisher, Enricher& enricher, int count) {
    for (int i = 0; i < count; ++i) {
        auto& arena = publisher.arena();
        FlowRecord& record = publisher.add();
        record.source_address = {{10, 0, 0, static_cast<std::uint8_t>(i)}, 4};
        record.enrichment = enricher.enrich(record, arena);
        publisher.commit();
    }
}

}  // namespace

TEST_CASE("RecordPublisher: a batch keeps the tables its records borrow from, and no others") {
    const ScratchFolder folder;
    Received received;
    RecordPublisher publisher({received.queue()}, false);
    EnrichmentCounters counters;
    std::weak_ptr<const EnrichmentTables> first_tables, second_tables;
    {
        const auto first = labels(folder, "first");
        first_tables = first.tables;
        publisher.keep(first.tables);
        Enricher enricher(first, counters);
        add_records(publisher, enricher, 3);
    }
    {
        const auto second = labels(folder, "second");
        second_tables = second.tables;
        publisher.keep(second.tables);  // the open batch leaves
        Enricher enricher(second, counters);
        add_records(publisher, enricher, 2);
    }
    publisher.keep(nullptr);
    CHECK_FALSE(first_tables.expired());
    CHECK_FALSE(second_tables.expired());
    auto batch = received.queue()->try_pop();
    REQUIRE(batch->records.size() == 3);
    for (const auto& record : batch->records) CHECK(record.enrichment->source.label == "first");
    batch.reset();
    CHECK(first_tables.expired());
    batch = received.queue()->try_pop();
    REQUIRE(batch->records.size() == 2);
    CHECK(batch->records[1].enrichment->source.label == "second");
    batch.reset();
    CHECK(second_tables.expired());
}
