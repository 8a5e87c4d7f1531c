// SPDX-License-Identifier: Apache-2.0
// How packets were selected, as IPFIX messages: exporters/options/sampling_options
// under the ids that these templates have here. Export time and sequence number
// are the caller's. Pure.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/selection/packet_selector.hpp"
#include "exporters/options/options_profile.hpp"
#include "exporters/options/options_writer.hpp"

namespace nfstreamd::exporters::ipfix {

enum OptionsTemplateId : std::uint16_t {
    kSamplingOptions = 260,        // selectorId | algorithm, samplingPacketInterval, samplingPacketSpace
    kRandomSamplingOptions = 261,  // selectorId | algorithm, samplingSize, samplingPopulation
    kHashOptions = 262,            // selectorId | observationPointId, algorithm, output and selected range
    kSamplingInterval = 263,       // observationDomainId | samplingInterval
};

// Templates first, then the data of all selectors; empty when there is nothing to tell.
std::vector<OptionsMessage> selector_options(std::span<const PacketSelector> selectors, SamplingElements elements,
                                             std::uint32_t domain, std::size_t max_message);

}  // namespace nfstreamd::exporters::ipfix
