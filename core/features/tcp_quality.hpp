// SPDX-License-Identifier: Apache-2.0
// How well a TCP connection went, as seen from the probe: round trips of the
// handshake, time to the first response, packets sent again, out of order, or
// with a closed window. Which packet counts as what follows the rules of
// Wireshark's sequence analysis (tcp.analysis.*), so that both say the same.
// Lies in an array beside the flow entries; one thread.
#pragma once
#include <cstdint>

#include "core/packet/packet.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

struct TcpSegment {
    TimestampNs time;
    std::uint32_t sequence, acknowledgement;
    std::uint32_t payload;  // octets, as the headers say
    std::uint16_t window;   // as in the header, not scaled
    std::uint8_t flags;
    int direction;
};

// `packet.tcp` must not be null.
TcpSegment tcp_segment(const Packet& packet, int direction) noexcept;

// All zero: nothing seen yet.
struct FlowTcpQuality {
    struct Stream {               // what one end sent
        TimestampNs advanced;     // when next_sequence last grew
        TimestampNs last_packet;  // its time stands for that of the acknowledgement, too
        std::uint32_t first_sequence, next_sequence;
        std::uint32_t acknowledgement;  // of the last packet
        std::uint32_t retransmitted, out_of_order, zero_window;
        std::uint16_t window;  // of the last packet
        std::uint8_t duplicate_acknowledgements;
        bool seen, acknowledges, kept_alive;  // kept_alive: the last packet was a keep-alive
    };
    Stream streams[2];  // by direction of the flow
    TimestampNs syn, syn_ack, request;
    TimestampNs server_handshake, client_handshake, first_response;  // durations
    std::uint8_t client;                                             // direction that sent the SYN
    bool has_syn, has_syn_ack, has_request, has_client_handshake, has_first_response;
};

void update(FlowTcpQuality& quality, const TcpSegment& segment) noexcept;
TcpQualityRecord summarise(const FlowTcpQuality& quality) noexcept;

}  // namespace nfstreamd
