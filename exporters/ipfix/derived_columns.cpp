// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/derived_columns.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/features/moments.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

constexpr std::array<std::string_view, 3> kPrefixes{"src2dst_", "dst2src_", "bidirectional_"};
constexpr std::array<std::string_view, kFacts> kNames{
    "packets",      "bytes",          "ip_bytes",    "first_seen_ms", "last_seen_ms", "duration_ms",
    "min_ps",       "mean_ps",        "stddev_ps",   "max_ps",        "ps_squares",   "min_piat_ms",
    "mean_piat_ms", "stddev_piat_ms", "max_piat_ms", "syn_packets",   "cwr_packets",  "ece_packets",
    "urg_packets",  "ack_packets",    "psh_packets", "rst_packets",   "fin_packets"};
constexpr Fact kGaps[] = {Fact::kMinGap, Fact::kMeanGap, Fact::kGapDeviation, Fact::kMaxGap};

constexpr std::size_t index(Fact fact) {
    return static_cast<std::size_t>(fact);
}
bool is_mean(Fact fact) {
    return fact == Fact::kMeanSize || fact == Fact::kSizeDeviation || fact == Fact::kMeanGap ||
           fact == Fact::kGapDeviation;
}
bool is_known(const FactValue& value) {
    return !std::holds_alternative<std::monostate>(value);
}
std::optional<std::uint64_t> number(const FactValue& value) {
    const auto* n = std::get_if<std::uint64_t>(&value);
    return n == nullptr ? std::nullopt : std::optional(*n);
}
void settle(FactValue& value, FactValue otherwise) {
    if (!is_known(value)) value = otherwise;
}

// The columns of one record, from what is known to what follows.
class Derivation {
public:
    explicit Derivation(FlowFacts& facts) : facts_(facts) {}

    void run() {
        for (const Scope scope : {Scope::kForward, Scope::kReverse})
            settle(at(scope, Fact::kBytes), at(scope, Fact::kIpBytes));
        settle(at(Scope::kReverse, Fact::kPackets), std::uint64_t{0});
        settle(at(Scope::kReverse, Fact::kBytes), std::uint64_t{0});
        if (!answered()) silence_reverse();
        for (const Scope scope : {Scope::kForward, Scope::kReverse}) complete(scope);
        join();
        complete(Scope::kBidirectional);
    }

private:
    FactValue& at(Scope scope, Fact fact) { return facts_.at(scope, fact); }
    bool answered() { return number(at(Scope::kReverse, Fact::kPackets)).value_or(0) != 0; }

    // Without a packet back all that is known of forward is 0 of reverse, and gaps
    // of the flow are those of forward.
    void silence_reverse() {
        for (std::size_t i = 0; i < kFacts; ++i) {
            const auto fact = static_cast<Fact>(i);
            if (is_known(at(Scope::kForward, fact)))
                settle(at(Scope::kReverse, fact), is_mean(fact) ? FactValue(0.0) : FactValue(std::uint64_t{0}));
        }
        for (const Fact fact : kGaps) settle(at(Scope::kBidirectional, fact), at(Scope::kForward, fact));
    }

    void complete(Scope scope) {
        const auto first = number(at(scope, Fact::kFirstSeen)), last = number(at(scope, Fact::kLastSeen));
        if (first && last) settle(at(scope, Fact::kDuration), *last >= *first ? *last - *first : std::uint64_t{0});
        const auto packets = number(at(scope, Fact::kPackets)), bytes = number(at(scope, Fact::kBytes)),
                   duration = number(at(scope, Fact::kDuration));
        const auto squares = scope == Scope::kBidirectional ? squares_ : wide(at(scope, Fact::kSizeSquares));
        if (packets && bytes && squares) {
            const Moments sizes = moments(*packets, *bytes, *squares);
            settle(at(scope, Fact::kMeanSize), sizes.mean);
            settle(at(scope, Fact::kSizeDeviation), sizes.deviation);
        }
        if (packets && duration && is_known(at(Scope::kForward, Fact::kMinGap)))  // gaps add up to the duration
            settle(at(scope, Fact::kMeanGap), *packets > 1 ? moments(*packets - 1, *duration, 0).mean : 0.0);
    }

    static std::optional<Wide> wide(const FactValue& value) {
        const auto n = number(value);
        return n ? std::optional<Wide>(*n) : std::nullopt;
    }

    // What both directions make together. A time of 0 is none.
    void join() {
        const auto both = [this](Fact fact, auto operation) {
            const auto a = number(at(Scope::kForward, fact)), b = number(at(Scope::kReverse, fact));
            if (a && b) settle(at(Scope::kBidirectional, fact), operation(*a, *b));
        };
        const auto sum = [](std::uint64_t a, std::uint64_t b) { return a + b; };
        const auto least = [](std::uint64_t a, std::uint64_t b) { return std::min(a, b); };
        const auto greatest = [](std::uint64_t a, std::uint64_t b) { return std::max(a, b); };
        const auto first = [](std::uint64_t a, std::uint64_t) { return a; };
        both(Fact::kPackets, sum);
        both(Fact::kBytes, sum);
        for (std::size_t i = index(Fact::kFirstFlag); i < kFacts; ++i) both(static_cast<Fact>(i), sum);
        both(Fact::kMaxSize, greatest);
        if (answered()) both(Fact::kMinSize, least);
        both(Fact::kMinSize, first);
        if (number(at(Scope::kReverse, Fact::kFirstSeen)).value_or(0) != 0) both(Fact::kFirstSeen, least);
        settle(at(Scope::kBidirectional, Fact::kFirstSeen), at(Scope::kForward, Fact::kFirstSeen));
        both(Fact::kLastSeen, greatest);
        settle(at(Scope::kBidirectional, Fact::kLastSeen), at(Scope::kForward, Fact::kLastSeen));
        const auto a = wide(at(Scope::kForward, Fact::kSizeSquares)), b = wide(at(Scope::kReverse, Fact::kSizeSquares));
        if (a && b) squares_ = *a + *b;
    }

    FlowFacts& facts_;
    std::optional<Wide> squares_;  // of both directions
};

void append_value(std::string& out, const FactValue& value) {
    if (const auto* n = std::get_if<std::uint64_t>(&value)) fmt::format_to(std::back_inserter(out), "{}", *n);
    if (const auto* d = std::get_if<double>(&value)) fmt::format_to(std::back_inserter(out), "{}", *d);
}

void append_oui(std::string& out, std::string_view key, std::span<const std::uint8_t> mac) {
    if (mac.size() == 6)
        fmt::format_to(std::back_inserter(out), ",\"{}\":\"{:02x}:{:02x}:{:02x}\"", key, mac[0], mac[1], mac[2]);
}

}  // namespace

std::optional<ScopedFact> scoped_fact(std::string_view column) {
    for (std::size_t scope = 0; scope < kPrefixes.size(); ++scope) {
        if (!column.starts_with(kPrefixes[scope])) continue;
        const auto* found = std::find(kNames.begin(), kNames.end(), column.substr(kPrefixes[scope].size()));
        if (found != kNames.end())
            return ScopedFact{static_cast<Scope>(scope), static_cast<Fact>(found - kNames.begin())};
    }
    return std::nullopt;
}

void DerivedColumns::has(std::string_view column) {
    if (const auto fact = scoped_fact(column)) given_[static_cast<std::size_t>(fact->scope)].set(index(fact->fact));
    has_source_oui_ = has_source_oui_ || column == "src_oui";
    has_destination_oui_ = has_destination_oui_ || column == "dst_oui";
}

void DerivedColumns::append(std::string& out, FlowFacts& facts) const {
    Derivation(facts).run();
    for (std::size_t scope = 0; scope < kPrefixes.size(); ++scope)
        for (std::size_t fact = 0; fact < kFacts; ++fact) {
            const FactValue& value = facts.values[scope][fact];
            if (given_[scope][fact] || !is_known(value)) continue;
            if (fact == index(Fact::kIpBytes) || fact == index(Fact::kSizeSquares)) continue;  // no columns of nfstream
            fmt::format_to(std::back_inserter(out), ",\"{}{}\":", kPrefixes[scope], kNames[fact]);
            append_value(out, value);
        }
    if (!has_source_oui_) append_oui(out, "src_oui", facts.source_mac);
    if (!has_destination_oui_) append_oui(out, "dst_oui", facts.destination_mac);
}

}  // namespace nfstreamd::exporters::ipfix
