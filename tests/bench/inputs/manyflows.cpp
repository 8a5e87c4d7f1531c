// SPDX-License-Identifier: Apache-2.0
// manyflows OUT FLOWS [LIVE]: small flows, five packets each, half TCP and half
// UDP, every 5-tuple another one, interleaved. They begin over 110 s, or over
// so long that LIVE of them are held at once by a meter with 30 s idle timeout.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/bench/inputs/capture_writer.hpp"
#include "tests/bench/inputs/octets.hpp"

namespace nfstreamd::bench {
namespace {

constexpr unsigned kPackets = 5, kFlowBits = 23, kPacketBits = 3;
constexpr std::uint64_t kLongestGap = 2'400'000;  // microseconds, and so flows last 4.8 s at the mean
constexpr std::uint64_t kHeld = 34'800'000;       // that and the idle timeout

// Time, flow and number of each packet in one word, in order of time.
std::vector<std::uint64_t> packets_in_order(std::uint32_t flows, std::uint64_t span) {
    std::vector<std::uint64_t> packets;
    packets.reserve(std::size_t{flows} * kPackets);
    Random random(7);
    for (std::uint64_t flow = 0; flow < flows; ++flow) {
        std::uint64_t time = random.below(span);
        for (unsigned k = 0; k < kPackets; ++k) {
            packets.push_back((time << kFlowBits | flow) << kPacketBits | k);
            time += 1000 + random.below(kLongestGap);
        }
    }
    std::sort(packets.begin(), packets.end());
    return packets;
}

void put_transport(std::uint8_t* ip, std::uint32_t flow, unsigned k, bool reverse, unsigned payload,
                   std::uint64_t mixed) {
    const bool tcp = flow & 1;
    const auto client = static_cast<std::uint16_t>(1024 + flow % 60000),
               server = static_cast<std::uint16_t>(tcp ? 443 : 53);
    std::uint8_t* const p = ip + 20;
    const unsigned header = tcp ? 20 : 8;
    put16(p, reverse ? server : client);
    put16(p + 2, reverse ? client : server);
    for (unsigned i = 0; i < payload; ++i) p[header + i] = static_cast<std::uint8_t>((mixed >> (i & 7) * 7) + i);
    if (tcp) {
        constexpr std::uint8_t kFlags[kPackets] = {0x02, 0x12, 0x10, 0x18, 0x18};
        put32(p + 4, flow + k);
        put32(p + 8, k ? flow : 0);
        p[12] = 0x50;
        p[13] = kFlags[k];
        put16(p + 14, 64240);
    } else {
        put16(p + 4, header + payload);
    }
    std::uint32_t pseudo = ip[9] + header + payload;
    for (unsigned i = 12; i < 20; i += 2) pseudo += be16(ip + i);
    put16(p + (tcp ? 16 : 6), checksum(p, header + payload, pseudo));
}

void write(const char* path, std::uint32_t flows, std::uint64_t span) {
    CaptureWriter out(path, 65535);
    for (const std::uint64_t packet : packets_in_order(flows, span)) {
        const auto k = static_cast<unsigned>(packet & ((1u << kPacketBits) - 1));
        const auto flow = static_cast<std::uint32_t>(packet >> kPacketBits & ((1u << kFlowBits) - 1));
        const std::uint64_t time = packet >> (kFlowBits + kPacketBits);
        std::uint64_t mixed = flow * kSplitmixStep;
        mixed ^= mixed >> 29;
        const bool tcp = flow & 1, reverse = tcp ? k == 1 || k == 4 : k & 1;
        const auto some = static_cast<unsigned>((mixed >> k) % 37);
        const unsigned payload = !tcp ? 22 + some : k < 3 ? 0 : 10 + some, total = 20 + (tcp ? 20 : 8) + payload;
        // an odd factor maps 24 bits onto themselves: no two flows have one client
        const std::uint32_t client = 0x0a000000 | (flow * 2654435761u & 0xffffff);
        const auto server = 0x50000000 | static_cast<std::uint32_t>(mixed % 65536) << 4 | 1;
        std::uint8_t frame[128] = {};
        std::uint8_t* ip = put_ipv4(frame, reverse, total, std::uint64_t{flow} * kPackets + k, tcp ? 6 : 17,
                                    reverse ? server : client, reverse ? client : server);
        put_transport(ip, flow, k, reverse, payload, mixed);
        const std::uint32_t length = std::max(14 + total, 60u);
        out.add(kFirstSecond * 1'000'000 + time, length, length, frame);
    }
}

}  // namespace
}  // namespace nfstreamd::bench

int main(int argc, char** argv) {
    using namespace nfstreamd::bench;
    const auto flows = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 0,
               live = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 0;
    if (flows == 0 || flows > 1u << kFlowBits || argc > 4 || (argc == 4 && live == 0)) {
        std::fprintf(stderr, "usage: manyflows OUT FLOWS [LIVE]\n");
        return 2;
    }
    write(argv[1], static_cast<std::uint32_t>(flows), live ? flows * kHeld / live : 110'000'000);
    return 0;
}
