// SPDX-License-Identifier: Apache-2.0
// Template ids that follow from what a template says: the same in every run with
// the same fields, so that a collector's memory of them stays good, and another
// one as soon as a field changes, so that none is ever given another meaning (RFC
// 7011, 8). The observation domain goes into it: collectors that look at the id
// alone do not mix up two domains of one process. Not thread-safe.
#pragma once
#include <cstdint>
#include <set>
#include <span>

#include "exporters/ipfix/record_layout.hpp"

namespace nfstreamd::exporters::ipfix {

class StableTemplateIds {
public:
    static constexpr std::uint16_t kFirst = 256;  // RFC 7011, 3.4.1

    explicit StableTemplateIds(std::uint32_t domain) : domain_(domain) {}

    std::uint16_t of(const RecordLayout& layout);
    // Of an options template: what follows the id in its record, as on the wire.
    std::uint16_t of_options(std::span<const std::uint8_t> specifiers);

private:
    std::uint16_t take(std::uint64_t mixed);

    const std::uint32_t domain_;
    std::set<std::uint16_t> taken_;
};

}  // namespace nfstreamd::exporters::ipfix
