// SPDX-License-Identifier: Apache-2.0
// What the operator chose for selecting packets of one capture (RFC 5475), and
// the number under which records and options templates name it. Plain values.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace nfstreamd {

// IANA's PSAMP registry: IE 304.
enum class SelectorAlgorithm : std::uint16_t {
    kSystematicCountBased = 1,
    kRandomNOutOfN = 3,
    kHashBob = 6,
};

enum class SamplingMethod : std::uint8_t { kSystematic, kRandom };

// One packet of each `rate`: the first one, or one chosen by chance.
struct PacketSamplingOptions {
    SamplingMethod method = SamplingMethod::kSystematic;
    std::uint32_t rate = 1;  // 1: every packet
    std::uint64_t seed = 0;  // kRandom; 0: another one in each run
    friend bool operator==(const PacketSamplingOptions&, const PacketSamplingOptions&) = default;
};

// The packets whose chosen fields hash into the first `fraction` of the range.
struct PacketHashOptions {
    std::vector<std::string> fields;  // of hash_field_names(); none: every packet
    double fraction = 1;
    std::uint32_t seed = 0;  // the same in probes that are to choose the same packets
    friend bool operator==(const PacketHashOptions&, const PacketHashOptions&) = default;
};

struct PacketSelectionOptions {
    PacketSamplingOptions sampling;
    PacketHashOptions hash;
    // While the capture is overloaded one of so many of these packets is metered; 0: all of them.
    std::uint32_t overload_rate = 0;
    friend bool operator==(const PacketSelectionOptions&, const PacketSelectionOptions&) = default;
};

// How packets are sampled while the capture is overloaded.
inline PacketSamplingOptions overloaded(const PacketSelectionOptions& options) noexcept {
    PacketSamplingOptions sampling = options.sampling;
    const std::uint64_t rate = std::uint64_t{sampling.rate} * options.overload_rate;
    sampling.rate = static_cast<std::uint32_t>(std::min<std::uint64_t>(rate, 0xffffffff));
    return sampling;
}

struct PacketSelector {
    std::uint32_t id = 0;                 // IE 302, unique in a run of the process
    std::uint32_t observation_point = 0;  // IE 138
    std::uint32_t hash_id = 0;            // IE 302 of the hash filter, which is a selector of its own
    PacketSelectionOptions options{};
    std::uint32_t overload_id = 0;  // IE 302 of what is sampled under overload; 0: never
    friend bool operator==(const PacketSelector&, const PacketSelector&) = default;
};

}  // namespace nfstreamd
