// SPDX-License-Identifier: Apache-2.0
// nfstream's columns that are not on the wire because they follow from what is:
// durations, means and deviations by the meter's own formula, sums of both
// directions, the makers of network cards. For the reader; one thread.
#pragma once
#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace nfstreamd::exporters::ipfix {

// What a direction of a flow tells, named as its column is behind src2dst_ or dst2src_.
enum class Fact : std::uint8_t {
    kPackets,
    kBytes,
    kIpBytes,
    kFirstSeen,
    kLastSeen,
    kDuration,
    kMinSize,
    kMeanSize,
    kSizeDeviation,
    kMaxSize,
    kSizeSquares,
    kMinGap,
    kMeanGap,
    kGapDeviation,
    kMaxGap,
    kFirstFlag,
    kCount = kFirstFlag + 8
};
inline constexpr auto kFacts = static_cast<std::size_t>(Fact::kCount);
enum class Scope : std::uint8_t { kForward, kReverse, kBidirectional };

struct ScopedFact {
    Scope scope;
    Fact fact;
};
std::optional<ScopedFact> scoped_fact(std::string_view column);

using FactValue = std::variant<std::monostate, std::uint64_t, double>;
struct FlowFacts {
    std::array<std::array<FactValue, kFacts>, 3> values;
    std::span<const std::uint8_t> source_mac, destination_mac;

    FactValue& at(Scope scope, Fact fact) {
        return values[static_cast<std::size_t>(scope)][static_cast<std::size_t>(fact)];
    }
};

class DerivedColumns {
public:
    // Of a template: its records have that column themselves.
    void has(std::string_view column);

    // `,"key":value` for each column that follows from the facts and is not in the
    // record. What a direction without packets has is 0, as nfstream says.
    void append(std::string& out, FlowFacts& facts) const;

private:
    std::array<std::bitset<kFacts>, 3> given_;
    bool has_source_oui_ = false, has_destination_oui_ = false;
};

}  // namespace nfstreamd::exporters::ipfix
