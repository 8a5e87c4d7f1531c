// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/learnt_elements.hpp"

#include <fmt/format.h>

#include <array>

namespace nfstreamd::exporters::ipfix {
namespace {

constexpr std::size_t kMostElements = 512, kLongestName = 128;
constexpr std::uint16_t kReverseBit = 0x4000;

// By their numbers in RFC 5610, section 3.1, and RFC 6313, section 11.
constexpr std::array kDataTypes{WireType::kOctetArray,
                                WireType::kUnsigned,
                                WireType::kUnsigned,
                                WireType::kUnsigned,
                                WireType::kUnsigned,
                                WireType::kSigned,
                                WireType::kSigned,
                                WireType::kSigned,
                                WireType::kSigned,
                                WireType::kFloat,
                                WireType::kFloat,
                                WireType::kBoolean,
                                WireType::kMacAddress,
                                WireType::kString,
                                WireType::kSeconds,
                                WireType::kMilliseconds,
                                WireType::kMicroseconds,
                                WireType::kNanoseconds,
                                WireType::kIpv4Address,
                                WireType::kIpv6Address,
                                WireType::kBasicList,
                                WireType::kSubTemplateList,
                                WireType::kSubTemplateMultiList};

}  // namespace

bool LearntElements::learn(std::uint32_t pen, std::uint16_t id, std::uint64_t data_type, std::string_view name) {
    if (pen == 0 || pen == kReversePen || data_type >= kDataTypes.size()) return false;
    while (!name.empty() && name.back() == '\0') name.remove_suffix(1);  // a name in a field of fixed length
    if (name.empty() || name.size() > kLongestName) return false;
    const std::pair key(pen, static_cast<std::uint16_t>(id & 0x7fff));
    const auto found = elements_.find(key);
    const WireType type = kDataTypes[data_type];
    if (found != elements_.end() && found->second.name == name && found->second.type == type) return false;
    if (found == elements_.end() && elements_.size() >= kMostElements) return false;
    elements_[key] = {std::string(name), type};
    return true;
}

std::optional<KnownElement> LearntElements::find(std::uint32_t pen, std::uint16_t id) const {
    if (elements_.empty()) return std::nullopt;
    if (const auto found = elements_.find({pen, id}); found != elements_.end()) return found->second;
    if ((id & kReverseBit) == 0) return std::nullopt;
    const auto found = elements_.find({pen, static_cast<std::uint16_t>(id & ~kReverseBit)});
    if (found == elements_.end()) return std::nullopt;
    return KnownElement{fmt::format("reverse_{}", found->second.name), found->second.type};
}

}  // namespace nfstreamd::exporters::ipfix
