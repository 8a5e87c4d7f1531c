// SPDX-License-Identifier: Apache-2.0
// How packets were selected (RFC 5476, 6.5; RFC 5477): a record for each selector,
// also where every packet is metered. Pure.
#pragma once
#include <span>
#include <vector>

#include "core/selection/packet_selector.hpp"
#include "exporters/options/options_profile.hpp"
#include "exporters/options/options_template.hpp"

namespace nfstreamd::exporters {

// One for each template. Without rows: there is nothing to tell of that kind now.
struct SamplingOptions {
    OptionsTable sampling;         // selectorId | algorithm, samplingPacketInterval, samplingPacketSpace
    OptionsTable random_sampling;  // selectorId | algorithm, samplingSize, samplingPopulation
    OptionsTable hash_filter;      // selectorId | observationPointId, algorithm, output and selected range
    OptionsTable interval;         // observationDomainId | samplingInterval

    std::vector<OptionsTable> tables() &&;
};
SamplingOptions sampling_options(const OptionsProfile& profile, std::span<const PacketSelector> selectors);

}  // namespace nfstreamd::exporters
