// SPDX-License-Identifier: Apache-2.0
// Names and types of enterprise elements as an exporter tells them in records
// (RFC 5610). Bounded, as strangers send them.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "exporters/ipfix/fixbuf_model.hpp"

namespace nfstreamd::exporters::ipfix {

class LearntElements {
public:
    // `data_type` is a number of RFC 5610, section 3.1. False: nothing new.
    bool learn(std::uint32_t pen, std::uint16_t id, std::uint64_t data_type, std::string_view name);

    // Reverse elements (RFC 5103, 6.2) are known with their forward ones.
    std::optional<KnownElement> find(std::uint32_t pen, std::uint16_t id) const;

    bool empty() const noexcept { return elements_.empty(); }

private:
    std::map<std::pair<std::uint32_t, std::uint16_t>, KnownElement> elements_;
};

}  // namespace nfstreamd::exporters::ipfix
