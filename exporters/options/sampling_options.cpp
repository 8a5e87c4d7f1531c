// SPDX-License-Identifier: Apache-2.0
#include "exporters/options/sampling_options.hpp"

#include <algorithm>
#include <utility>

#include "core/selection/packet_hash_filter.hpp"

namespace nfstreamd::exporters {
namespace {

// Four octets each, as GoFlow2 reads no others.
constexpr OptionsField kSelectorId{302, 4}, kSelectorAlgorithm{304, 2}, kPacketInterval{305, 4}, kPacketSpace{306, 4},
    kSamplingSize{309, 4}, kSamplingPopulation{310, 4}, kObservationPoint{138, 4}, kHashOutputMin{329, 8},
    kHashOutputMax{330, 8}, kHashSelectedMin{331, 8}, kHashSelectedMax{332, 8}, kObservationDomain{149, 4},
    kSamplingInterval{34, 4};

SamplingOptions without_rows() {
    return {{{.name = "sampling",
              .fields = {kSelectorId, kSelectorAlgorithm, kPacketInterval, kPacketSpace},
              .alone = true},
             {}},
            {{.name = "random_sampling",
              .fields = {kSelectorId, kSelectorAlgorithm, kSamplingSize, kSamplingPopulation},
              .alone = true},
             {}},
            {{.name = "hash_filter",
              .fields = {kSelectorId, kObservationPoint, kSelectorAlgorithm, kHashOutputMin, kHashOutputMax,
                         kHashSelectedMin, kHashSelectedMax},
              .alone = true},
             {}},
            {{.name = "sampling_interval", .fields = {kObservationDomain, kSamplingInterval}, .alone = true}, {}}};
}

bool is_random(const PacketSamplingOptions& sampling) {
    return sampling.method == SamplingMethod::kRandom && sampling.rate > 1;
}

void add_sampling(SamplingOptions& options, std::uint32_t id, const PacketSamplingOptions& sampling) {
    const bool random = is_random(sampling);
    const auto algorithm = static_cast<std::uint64_t>(random ? SelectorAlgorithm::kRandomNOutOfN
                                                             : SelectorAlgorithm::kSystematicCountBased);
    const std::uint64_t one = 1, rate = sampling.rate;
    options.sampling.rows.push_back({std::uint64_t{id}, algorithm, one, rate - 1});
    if (random) options.random_sampling.rows.push_back({std::uint64_t{id}, algorithm, one, rate});
}

void add_hash(SamplingOptions& options, const PacketSelector& selector) {
    const PacketHashFilter filter(selector.options.hash);
    if (!filter.on()) return;
    constexpr std::uint64_t kFirst = 0, kLast = PacketHashFilter::kRange - 1;
    const std::uint64_t selected_last = filter.selected() == 0 ? 0 : filter.selected() - 1;
    options.hash_filter.rows.push_back({std::uint64_t{selector.hash_id}, std::uint64_t{selector.observation_point},
                                        static_cast<std::uint64_t>(SelectorAlgorithm::kHashBob), kFirst, kLast, kFirst,
                                        selected_last});
}

// samplingInterval holds for a whole domain: not when its captures have different rates. Without
// samplingAlgorithm (35): nfcapd 1.7.1 does not multiply when that is there, too.
void add_interval(SamplingOptions& options, std::uint32_t domain, std::span<const PacketSelector> selectors) {
    const PacketSamplingOptions& first = selectors.front().options.sampling;
    const auto differs = [&](const PacketSelector& one) { return one.options.sampling.rate != first.rate; };
    if (std::any_of(selectors.begin(), selectors.end(), differs)) return;
    options.interval.rows.push_back({std::uint64_t{domain}, std::uint64_t{first.rate}});
}

}  // namespace

std::vector<OptionsTable> SamplingOptions::tables() && {
    std::vector<OptionsTable> out;
    for (OptionsTable* table : {&sampling, &random_sampling, &hash_filter, &interval}) out.push_back(std::move(*table));
    return out;
}

SamplingOptions sampling_options(const OptionsProfile& profile, std::span<const PacketSelector> selectors) {
    SamplingOptions options = without_rows();
    if (selectors.empty() || profile.sampling == SamplingElements::kNone) return options;
    if (profile.sampling != SamplingElements::kLegacy)
        for (const PacketSelector& selector : selectors) {
            add_sampling(options, selector.id, selector.options.sampling);
            if (selector.overload_id != 0) add_sampling(options, selector.overload_id, overloaded(selector.options));
            add_hash(options, selector);
        }
    if (profile.sampling != SamplingElements::kRfc5477) add_interval(options, profile.domain, selectors);
    return options;
}

}  // namespace nfstreamd::exporters
