// SPDX-License-Identifier: Apache-2.0
// Why a flow record was made, and what each output calls it: one table.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace nfstreamd {

enum class EndReason : std::uint8_t {
    kIdle,                // idle_timeout passed without a packet
    kActive,              // active_timeout since the first packet
    kNatural,             // FIN both ways, or RST
    kForced,              // shutdown, or an operator's command
    kPlugin,              // a flow hook asked for it: FlowRecord::custom_expiration
    kLackOfResources,     // table full: the flow nearest to its timeout had to leave
    kEndOfInput,          // last capture file read
    kInterfaceGone,       // observation point removed, or its interface lost
    kResourceConstraint,  // idle under a timeout that a filling table had shortened
    kClockStep,           // the clock that stamps packets jumped
};

struct EndReasonRow {
    EndReason reason;
    std::string_view name;         // in status and logs
    std::uint8_t flow_end_reason;  // IE 136 (RFC 5102, 5.11.3)
    int nfstream6;                 // expiration_id of nfstream 6
    int nfstream3;                 // expiration_id of nfstream 3
    int nfstream0;                 // export_reason of nfstream 0.x
};

inline constexpr std::size_t kEndReasons = 10;
std::span<const EndReasonRow, kEndReasons> end_reasons() noexcept;  // indexed by EndReason
const EndReasonRow& row(EndReason reason) noexcept;

}  // namespace nfstreamd
