// SPDX-License-Identifier: Apache-2.0
// How packets were selected, as IPFIX messages: options templates and one data
// record for each selector (RFC 5476, 6.5; RFC 5477). Export time and sequence
// number are the caller's. Written here and not by libfixbuf, whose session would
// end the message at each turn from templates to data. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/selection/packet_selector.hpp"

namespace nfstreamd::exporters::ipfix {

enum OptionsTemplateId : std::uint16_t {
    kSamplingOptions = 260,        // selectorId | algorithm, samplingPacketInterval, samplingPacketSpace
    kRandomSamplingOptions = 261,  // selectorId | algorithm, samplingSize, samplingPopulation
    kHashOptions = 262,            // selectorId | observationPointId, algorithm, output and selected range
    kSamplingInterval = 263,       // observationDomainId | samplingInterval
};

// Which elements tell the rate: those of RFC 5477, the older samplingInterval
// (34), which holds for a whole observation domain, or both.
enum class SamplingElements : std::uint8_t { kRfc5477, kLegacy, kBoth, kNone };
std::optional<SamplingElements> sampling_elements(std::string_view name);  // "rfc5477"

struct OptionsMessage {
    std::vector<std::uint8_t> bytes;
    std::uint32_t data_records = 0;  // 0: templates
};

// Templates first, then the data of all selectors; empty when there is nothing to tell.
std::vector<OptionsMessage> selector_options(std::span<const PacketSelector> selectors, SamplingElements elements,
                                             std::uint32_t domain, std::size_t max_message);

}  // namespace nfstreamd::exporters::ipfix
