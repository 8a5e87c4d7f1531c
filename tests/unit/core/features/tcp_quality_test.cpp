// SPDX-License-Identifier: Apache-2.0
#include "core/features/tcp_quality.hpp"

#include <doctest/doctest.h>

#include "core/packet/decode.hpp"
#include "tests/support/packet_builder.hpp"

using namespace nfstreamd;

namespace {

constexpr std::uint8_t kFinBit = 0x01, kSynBit = 0x02, kRstBit = 0x04, kAckBit = 0x10;
constexpr TimestampNs kMs = 1'000'000;

// A connection whose client has first sequence number 1000, its server 5000.
class Connection {
public:
    Connection& send(int direction, TimestampNs at, std::uint32_t sequence, std::uint32_t acknowledgement,
                     std::uint8_t flags, std::uint32_t payload = 0, std::uint16_t window = 1000) {
        update(quality_, {at, sequence, acknowledgement, payload, window, flags, direction});
        return *this;
    }
    Connection& handshake() {
        return send(0, 0, 1000, 0, kSynBit)
            .send(1, 30 * kMs, 5000, 1001, kSynBit | kAckBit)
            .send(0, 40 * kMs, 1001, 5001, kAckBit);
    }
    TcpQualityRecord record() const { return summarise(quality_); }

private:
    FlowTcpQuality quality_{};
};

}  // namespace

TEST_CASE("TCP quality: the handshake is timed towards both ends") {
    const auto record = Connection().handshake().record();
    CHECK(record.server_handshake_us == 30'000);
    CHECK(record.client_handshake_us == 10'000);
    CHECK(record.first_response_us == -1);
    CHECK(record.forward.retransmitted + record.reverse.retransmitted == 0);
}

TEST_CASE("TCP quality: a SYN sent again counts from its last time, and as sent again") {
    const auto record = Connection()
                            .send(0, 0, 1000, 0, kSynBit)
                            .send(0, 1000 * kMs, 1000, 0, kSynBit)
                            .send(1, 1025 * kMs, 5000, 1001, kSynBit | kAckBit)
                            .record();
    CHECK(record.server_handshake_us == 25'000);
    CHECK(record.client_handshake_us == -1);
    CHECK(record.forward.retransmitted == 1);
}

TEST_CASE("TCP quality: the first response is the server's payload after the client's") {
    auto connection = Connection().handshake();
    connection.send(1, 50 * kMs, 5001, 1001, kAckBit, 20);  // a banner answers nothing
    connection.send(0, 60 * kMs, 1001, 5021, kAckBit, 10);
    connection.send(1, 61 * kMs, 5021, 1011, kAckBit);
    connection.send(1, 75 * kMs, 5021, 1011, kAckBit, 5);
    connection.send(1, 95 * kMs, 5026, 1011, kAckBit, 5);
    CHECK(connection.record().first_response_us == 15'000);
}

TEST_CASE("TCP quality: data sent again late is retransmitted, data that comes soon after is out of order") {
    auto connection = Connection().handshake();  // round trip 40 ms
    connection.send(0, 100 * kMs, 1101, 5001, kAckBit, 100);
    connection.send(0, 110 * kMs, 1001, 5001, kAckBit, 100);  // 10 ms behind: came by another way
    CHECK(connection.record().forward.out_of_order == 1);
    connection.send(0, 300 * kMs, 1101, 5001, kAckBit, 100);
    const auto record = connection.record();
    CHECK(record.forward.out_of_order == 1);
    CHECK(record.forward.retransmitted == 1);
    CHECK(record.reverse.retransmitted == 0);
}

TEST_CASE("TCP quality: after two duplicate acknowledgements it is a fast retransmission, however soon") {
    auto connection = Connection().handshake();
    for (std::uint32_t i = 0; i < 5; ++i)
        if (i != 1) connection.send(0, 100 * kMs + i, 1001 + i * 100, 5001, kAckBit, 100);
    for (int i = 0; i < 3; ++i) connection.send(1, 101 * kMs, 5001, 1101, kAckBit);
    connection.send(0, 102 * kMs, 1101, 5001, kAckBit, 100);
    CHECK(connection.record().forward.retransmitted == 1);
    CHECK(connection.record().forward.out_of_order == 0);
}

TEST_CASE("TCP quality: what was acknowledged before is retransmitted for nothing, and counts") {
    auto connection = Connection().handshake();
    connection.send(0, 100 * kMs, 1001, 5001, kAckBit, 100).send(1, 101 * kMs, 5001, 1101, kAckBit);
    connection.send(0, 102 * kMs, 1001, 5001, kAckBit, 100);
    CHECK(connection.record().forward.retransmitted == 1);
}

TEST_CASE("TCP quality: keep-alives and probes of a closed window are not sent again") {
    auto connection = Connection().handshake();
    connection.send(0, 100 * kMs, 1001, 5001, kAckBit, 100);
    connection.send(0, 60'000 * kMs, 1100, 5001, kAckBit);
    connection.send(0, 61'000 * kMs, 1100, 5001, kAckBit, 1);
    connection.send(1, 61'001 * kMs, 5001, 1101, kAckBit, 0, 0);
    connection.send(0, 62'000 * kMs, 1101, 5001, kAckBit, 1);  // does not advance the sequence
    connection.send(0, 63'000 * kMs, 1101, 5001, kAckBit, 1);
    const auto record = connection.record();
    CHECK(record.forward.retransmitted == 0);
    CHECK(record.forward.out_of_order == 0);
    CHECK(record.reverse.zero_window == 1);
}

TEST_CASE("TCP quality: a closed window of SYN, FIN and RST is none") {
    auto connection = Connection();
    connection.send(0, 0, 1000, 0, kSynBit, 0, 0)
        .send(0, 1, 1001, 5001, kAckBit | kFinBit, 0, 0)
        .send(0, 2, 1002, 0, kRstBit, 0, 0);
    CHECK(connection.record().forward.zero_window == 0);
}

TEST_CASE("TCP quality: sequence numbers that go round are no step back") {
    auto connection = Connection();
    connection.send(0, 0, 0xffffff00, 5001, kAckBit, 0x100).send(0, 100 * kMs, 0, 5001, kAckBit, 100);
    connection.send(0, 200 * kMs, 100, 5001, kAckBit, 100);
    CHECK(connection.record().forward.retransmitted == 0);
    connection.send(0, 300 * kMs, 0xffffff00, 5001, kAckBit, 0x100);
    CHECK(connection.record().forward.retransmitted == 1);
}

TEST_CASE("TCP quality: a new connection on the same ports begins anew and keeps what was counted") {
    auto connection = Connection().handshake();
    connection.send(0, 100 * kMs, 1001, 5001, kAckBit, 100).send(0, 400 * kMs, 1001, 5001, kAckBit, 100);
    connection.send(0, 500 * kMs, 77, 0, kSynBit).send(0, 600 * kMs, 78, 9001, kAckBit, 10);
    CHECK(connection.record().forward.retransmitted == 1);
}

TEST_CASE("TCP quality: a segment is read from the header of a decoded packet") {
    auto bytes = test::PacketBuilder(7).tcp(1, 2, kAckBit).ipv4("10.0.0.1", "10.0.0.2").ethernet().bytes();
    std::uint8_t* tcp = bytes.data() + 14 + 20;
    for (int i = 0; i < 8; ++i) tcp[4 + i] = static_cast<std::uint8_t>(i + 1);
    tcp[14] = 0x12, tcp[15] = 0x34;
    Packet packet;
    const auto length = static_cast<std::uint32_t>(bytes.size());
    REQUIRE(decode(1, {5, bytes.data(), length, length}, {}, packet) == DecodeResult::kOk);
    REQUIRE(packet.tcp == tcp);
    const TcpSegment segment = tcp_segment(packet, 1);
    CHECK(segment.sequence == 0x01020304);
    CHECK(segment.acknowledgement == 0x05060708);
    CHECK(segment.window == 0x1234);
    CHECK(segment.payload == 7);
    CHECK(segment.flags == kAckBit);
    CHECK(segment.direction == 1);
    CHECK(segment.time == 5);
    Packet cut;
    REQUIRE(decode(1, {5, bytes.data(), 14 + 20 + 19, length}, {}, cut) == DecodeResult::kOk);
    CHECK(cut.tcp == nullptr);
}
