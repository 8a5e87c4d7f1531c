// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/stable_template_ids.hpp"

#include "core/base/mixing.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

std::uint64_t mix(std::uint64_t state, std::uint64_t value) {
    return splitmix_finish(state ^ (value + kSplitmixStep));
}

}  // namespace

std::uint16_t StableTemplateIds::of(const RecordLayout& layout) {
    std::uint64_t state = mix(0, domain_);
    for (const FieldPlan& field : layout.fields())
        state = mix(state, std::uint64_t{field.ie.pen} << 32 | std::uint64_t{field.ie.id} << 16 | field.length);
    return take(state);
}

std::uint16_t StableTemplateIds::of_options(std::span<const std::uint8_t> specifiers) {
    std::uint64_t state = mix(1, domain_);
    for (const std::uint8_t octet : specifiers) state = mix(state, octet);
    return take(state);
}

// Two templates of one exporter that would have the same: the later one takes the next.
std::uint16_t StableTemplateIds::take(std::uint64_t mixed) {
    constexpr std::uint32_t kIds = 65536 - kFirst;
    std::uint32_t id = static_cast<std::uint32_t>(mixed % kIds);
    while (!taken_.insert(static_cast<std::uint16_t>(kFirst + id)).second) id = (id + 1) % kIds;
    return static_cast<std::uint16_t>(kFirst + id);
}

}  // namespace nfstreamd::exporters::ipfix
