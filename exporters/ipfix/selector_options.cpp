// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/selector_options.hpp"

#include <utility>

#include "exporters/options/sampling_options.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

std::uint16_t id_of(const OptionsTemplate& tmpl) {
    if (tmpl.name == "sampling") return kSamplingOptions;
    if (tmpl.name == "random_sampling") return kRandomSamplingOptions;
    return tmpl.name == "hash_filter" ? kHashOptions : kSamplingInterval;
}

}  // namespace

std::vector<OptionsMessage> selector_options(std::span<const PacketSelector> selectors, SamplingElements elements,
                                             std::uint32_t domain, std::size_t max_message) {
    const OptionsProfile profile{.domain = domain, .sampling = elements};
    std::vector<OptionsTable> used;
    for (OptionsTable& table : sampling_options(profile, selectors).tables())
        if (!table.rows.empty()) used.push_back(std::move(table));
    return options_messages({OptionsProtocol::kIpfix, domain, max_message}, id_of, used);
}

}  // namespace nfstreamd::exporters::ipfix
