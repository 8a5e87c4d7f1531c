// SPDX-License-Identifier: Apache-2.0
// Says of a flow record what the tables know of its two ends. Remembers the
// addresses it was asked for lately, so that a busy one costs one hash lookup.
// One metering thread.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/base/arena.hpp"
#include "core/base/counter.hpp"
#include "core/enrichment/enrichment_tables.hpp"
#include "core/enrichment/recent_cache.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

struct EnrichmentCounters {
    Counter lookups;  // of addresses
    Counter hits;     // of these, remembered
    Counter damaged;  // a file could not be read there
};

class Enricher {
public:
    // `options.tables` must be there; `counters` outlive this.
    Enricher(const EnrichmentOptions& options, EnrichmentCounters& counters);

    // Null when nothing is known of either end. Its strings live as long as the tables.
    const EnrichmentRecord* enrich(const FlowRecord& record, Arena& arena);

private:
    EndpointRecord endpoint(const IpAddress& address, const MacAddress& mac);

    std::shared_ptr<const EnrichmentTables> tables_;
    EnrichmentCounters& counters_;
    const std::array<std::uint64_t, 3> secret_;  // of the hashes
    RecentCache<IpAddress, EndpointRecord> addresses_;
    RecentCache<MacAddress, std::string_view> vendors_;
};

}  // namespace nfstreamd
