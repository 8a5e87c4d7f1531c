// SPDX-License-Identifier: Apache-2.0
#include "core/enrichment/enricher.hpp"

#include <cstring>

#include "core/base/mixing.hpp"
#include "core/base/random_words.hpp"

namespace nfstreamd {
namespace {

constexpr std::size_t kVendorCache = 256;  // hardware addresses on one link are few

bool says_nothing(const EndpointRecord& end) {
    return end.asn == 0 && end.as_organization.empty() && end.country.empty() && end.label.empty() &&
           end.mac_vendor.empty();
}

}  // namespace

Enricher::Enricher(const EnrichmentOptions& options, EnrichmentCounters& counters)
    : tables_(options.tables),
      counters_(counters),
      secret_(random_words<3>()),
      addresses_(options.cache_size),
      vendors_(kVendorCache) {}

EndpointRecord Enricher::endpoint(const IpAddress& address, const MacAddress& mac) {
    std::uint64_t words[2], hardware = 0;
    std::memcpy(words, address.bytes.data(), sizeof words);
    std::memcpy(&hardware, mac.data(), mac.size());
    bool damaged = false;
    const auto known = addresses_.get(address, multiply_mix(words[0] ^ secret_[0], words[1] ^ secret_[1]),
                                      [&](const IpAddress& key) { return tables_->describe(key, damaged); });
    counters_.lookups.add();
    counters_.hits.add(known.hit);
    if (damaged) [[unlikely]]
        counters_.damaged.add();
    EndpointRecord end = known.value;
    end.mac_vendor = vendors_
                         .get(mac, multiply_mix(hardware ^ secret_[2], secret_[1]),
                              [&](const MacAddress& key) { return tables_->vendor(key); })
                         .value;
    return end;
}

const EnrichmentRecord* Enricher::enrich(const FlowRecord& record, Arena& arena) {
    const EnrichmentRecord found{endpoint(record.source_address, record.source_mac),
                                 endpoint(record.destination_address, record.destination_mac)};
    if (says_nothing(found.source) && says_nothing(found.destination)) return nullptr;
    return arena.make(found);
}

}  // namespace nfstreamd
