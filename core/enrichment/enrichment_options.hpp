// SPDX-License-Identifier: Apache-2.0
// What flow records are enriched from: the files an operator names, and the
// tables that were made of them.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nfstreamd {

class EnrichmentTables;

struct EnrichmentOptions {
    std::string asn, country;              // MMDB files; "": none
    std::string networks;                  // CSV: prefix,label[,asn][,country]
    std::vector<std::string> mac_vendors;  // IEEE's files, or CSV: prefix,vendor
    std::uint32_t cache_size = 16384;      // addresses that each meter remembers

    std::shared_ptr<const EnrichmentTables> tables;  // of these files; null: not read, or none is named

    bool any() const { return !asn.empty() || !country.empty() || !networks.empty() || !mac_vendors.empty(); }
    // The same files with the same content.
    friend bool operator==(const EnrichmentOptions& a, const EnrichmentOptions& b);
};

}  // namespace nfstreamd
