// SPDX-License-Identifier: Apache-2.0
#include "core/features/tcp_quality.hpp"

#include "core/packet/octets.hpp"
#include "core/packet/tcp_flags.hpp"

namespace nfstreamd {
namespace {

using Stream = FlowTcpQuality::Stream;

constexpr TimestampNs kMs = 1'000'000;
constexpr TimestampNs kFastRetransmission = 20 * kMs;  // after the last duplicate acknowledgement
constexpr TimestampNs kReordering = 3 * kMs;           // unless the handshake's round trip is known

// Sequence numbers go round (RFC 9293, 3.4).
bool before(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(a - b) < 0;
}

// SYN and FIN take a number, too.
std::uint32_t end_of(const TcpSegment& s) {
    return s.sequence + s.payload + (s.flags & (kSynFlag | kFinFlag) ? 1 : 0);
}

// A new connection with the same ports: nothing that was seen says how it goes on.
void begin_anew(FlowTcpQuality& quality) {
    for (Stream& stream : quality.streams) {
        Stream fresh{};
        fresh.retransmitted = stream.retransmitted;
        fresh.out_of_order = stream.out_of_order;
        fresh.zero_window = stream.zero_window;
        stream = fresh;
    }
}

void time_handshake(FlowTcpQuality& q, const TcpSegment& s) {
    const auto direction = static_cast<std::uint8_t>(s.direction);
    if (s.flags & kSynFlag) {
        if (!(s.flags & kAckFlag)) {
            q.syn = s.time;
            q.client = direction;
            q.has_syn = true;
        } else if (q.has_syn && direction != q.client) {
            if (q.has_syn_ack) return;
            q.server_handshake = s.time - q.syn;
            q.syn_ack = s.time;
            q.has_syn_ack = true;
        }
    } else if (s.flags & kAckFlag && q.has_syn_ack && !q.has_client_handshake && direction == q.client) {
        q.client_handshake = s.time - q.syn_ack;
        q.has_client_handshake = true;
    }
    if (s.payload == 0 || q.has_first_response) return;
    if (direction == q.client) {
        if (!q.has_request) q.request = s.time;
        q.has_request = true;
    } else if (q.has_request) {
        q.first_response = s.time - q.request;
        q.has_first_response = true;
    }
}

void count_repeated_acknowledgement(Stream& own, const Stream& other, const TcpSegment& s, bool is_probe) {
    const bool repeats = !is_probe && s.payload == 0 && s.window != 0 && s.window == own.window && own.seen &&
                         s.sequence == own.next_sequence && s.acknowledgement == own.acknowledgement &&
                         !(s.flags & (kSynFlag | kFinFlag | kRstFlag)) && !other.kept_alive;
    if (repeats && own.duplicate_acknowledgements < 255) ++own.duplicate_acknowledgements;
    if (s.acknowledgement != own.acknowledgement) own.duplicate_acknowledgements = 0;
}

// Data, SYN or FIN that was sent before, or should have come before.
void count_repeated_data(Stream& own, const Stream& other, const TcpSegment& s, TimestampNs reordering) {
    // one octet back is what a probe of a closed window took
    const bool after_probe = s.payload > 1 && own.next_sequence - 1 == s.sequence;
    const bool stale = own.seen && before(s.sequence, own.next_sequence) && !after_probe;
    const bool acknowledged =
        s.payload > 0 && other.acknowledges && !before(other.acknowledgement, s.sequence + s.payload);
    if (acknowledged) {
        ++own.retransmitted;
        return;
    }
    if (!stale) return;
    const bool fast = other.duplicate_acknowledgements >= 2 && other.acknowledgement == s.sequence &&
                      s.time - other.last_packet < kFastRetransmission;
    if (!fast && s.time - own.advanced < reordering && own.next_sequence != end_of(s))
        ++own.out_of_order;
    else
        ++own.retransmitted;
}

std::int64_t microseconds(bool known, TimestampNs duration) {
    return known ? duration / 1000 : -1;
}

}  // namespace

TcpSegment tcp_segment(const Packet& packet, int direction) noexcept {
    const std::uint8_t* p = packet.tcp;
    return {packet.timestamp, be32(p + 4), be32(p + 8), packet.sizes[3], be16(p + 14), p[13], direction};
}

void update(FlowTcpQuality& quality, const TcpSegment& s) noexcept {
    Stream& own = quality.streams[s.direction];
    Stream& other = quality.streams[1 - s.direction];
    if ((s.flags & (kSynFlag | kAckFlag)) == kSynFlag && own.seen && s.sequence != own.first_sequence)
        begin_anew(quality);

    const bool takes_part = s.payload > 0 || s.flags & (kSynFlag | kFinFlag);
    const bool is_probe = s.payload == 1 && own.seen && s.sequence == own.next_sequence && other.window == 0;
    const bool kept_alive = !is_probe && s.payload <= 1 && own.seen && s.sequence == own.next_sequence - 1 &&
                            !(s.flags & (kSynFlag | kFinFlag | kRstFlag));
    if (!is_probe && s.window == 0 && !(s.flags & (kSynFlag | kFinFlag | kRstFlag))) ++own.zero_window;
    count_repeated_acknowledgement(own, other, s, is_probe);
    if (takes_part && !kept_alive) {
        const TimestampNs round_trip = quality.server_handshake + quality.client_handshake;
        const bool known = quality.has_client_handshake && round_trip > 0;
        count_repeated_data(own, other, s, known ? round_trip : kReordering);
    }

    if (!own.seen) own.first_sequence = s.sequence;
    const std::uint32_t next = end_of(s);
    if (!own.seen || (!is_probe && before(own.next_sequence, next))) {
        own.next_sequence = next;
        own.advanced = s.time;
    }
    own.seen = true;
    own.kept_alive = kept_alive;
    own.window = s.window;
    own.last_packet = s.time;
    if (s.flags & kAckFlag) {
        own.acknowledgement = s.acknowledgement;
        own.acknowledges = true;
    }
    time_handshake(quality, s);
}

TcpQualityRecord summarise(const FlowTcpQuality& quality) noexcept {
    const auto direction = [](const Stream& stream) {
        return TcpQualityDirection{stream.retransmitted, stream.out_of_order, stream.zero_window};
    };
    return {microseconds(quality.has_client_handshake, quality.client_handshake),
            microseconds(quality.has_syn_ack, quality.server_handshake),
            microseconds(quality.has_first_response, quality.first_response), direction(quality.streams[0]),
            direction(quality.streams[1])};
}

}  // namespace nfstreamd
