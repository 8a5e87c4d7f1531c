// SPDX-License-Identifier: Apache-2.0
// What the operator chose for metering, in nfstream's names. Plain values; the
// configuration fills them, a metering process is made from them.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/application/dissector_options.hpp"
#include "core/enrichment/enrichment_options.hpp"
#include "core/packet/fragment_mode.hpp"
#include "core/packet/tunnel_set.hpp"
#include "core/record/generation.hpp"

namespace nfstreamd {

class FlowExtension;

// When flows end. The flows that are there follow a change.
struct TimeoutOptions {
    std::chrono::milliseconds idle_timeout{120'000};
    std::chrono::milliseconds active_timeout{1'800'000};
    std::optional<std::chrono::milliseconds> idle_tcp, idle_udp, idle_icmp, idle_other;  // unset: idle_timeout
    std::optional<std::chrono::milliseconds> tcp_end;        // after the last packet of a closed connection; unset: off
    std::optional<unsigned> pressure_from;                   // percent of max_flows; unset: off
    std::chrono::milliseconds pressure_idle_timeout{5'000};  // when the flow cache is full
    friend bool operator==(const TimeoutOptions&, const TimeoutOptions&) = default;
};

struct MeteringOptions : TimeoutOptions {
    std::uint32_t max_flows = 1u << 20;  // of one metering process
    // Live: percent of the capture ring from which on load is shed; unset: never.
    std::optional<unsigned> overload_from{50};
    bool prefault = true;          // live: memory of the flow cache is taken at the start
    std::uint64_t max_nflows = 0;  // records of all metering processes together, then the run ends; 0: no limit
    int accounting_mode = 0;       // 0 link, 1 IP, 2 transport, 3 payload
    TunnelSet decode_tunnels;      // nfstream's three: GTP-U, CAPWAP, TZSP
    FragmentMode fragments = FragmentMode::kFirst;
    DissectionLimits n_dissections{20};  // 0: off
    bool l7_details = false;             // keep what else nDPI learns of a flow
    NdpiFiles ndpi;
    bool statistical_analysis = false;
    // For nfstream's interface in Python: statistics rounded as it rounds them, and numbers by creation.
    bool running_means = false, creation_ids = false;
    bool tcp_quality = false;
    int system_visibility_mode = 0;  // 1: the local process of each flow; live only
    std::chrono::milliseconds system_visibility_poll{100};
    unsigned splt_analysis = 0;  // packets per flow kept in the sequence; 0: off
    EnrichmentOptions enrichment;
    std::vector<std::shared_ptr<FlowExtension>> extensions;  // plugins and models, in the order they are called in
    Generation compatibility = Generation::kNfstream6;
    bool nfstream3_records = false;  // keep what the schema nfstream3 alone needs: ids by creation, details
    friend bool operator==(const MeteringOptions&, const MeteringOptions&) = default;
};

}  // namespace nfstreamd
