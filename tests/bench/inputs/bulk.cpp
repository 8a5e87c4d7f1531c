// SPDX-License-Identifier: Apache-2.0
// bulk OUT PACKETS: 200 long TCP flows over 60 s, full-size packets of which
// 96 octets are captured. What a packet costs where the flow table is not it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tests/bench/inputs/capture_writer.hpp"
#include "tests/bench/inputs/octets.hpp"

namespace nfstreamd::bench {
namespace {

constexpr std::uint32_t kFlows = 200, kCaptured = 96;

struct Flow {
    std::uint32_t packets = 0, forward = 0, reverse = 0;  // next sequence number of each end
};

void put_payload(std::uint8_t* payload, std::uint32_t k, bool reverse, std::uint64_t number) {
    constexpr char kRequest[] = "GET /big.iso HTTP/1.1\r\nHost: a.example\r\n\r\n";
    constexpr char kAnswer[] = "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\n";
    if (k == 3) {
        std::memcpy(payload, kRequest, sizeof kRequest - 1);
    } else if (k == 4 && reverse) {
        std::memcpy(payload, kAnswer, sizeof kAnswer - 1);
    } else {
        for (std::uint64_t i = 0; i < 42; i += 8) {
            const std::uint64_t some = number * kSplitmixStep + i;
            std::memcpy(payload + i, &some, sizeof some);
        }
    }
}

void write(const char* path, std::uint64_t packets) {
    CaptureWriter out(path, kCaptured);
    Random random(11);
    Flow flows[kFlows];
    for (std::uint64_t n = 0; n < packets; ++n) {
        const auto f =
            static_cast<std::uint32_t>(n < 3 * kFlows ? n % kFlows : random.below(kFlows));  // handshakes first
        Flow& flow = flows[f];
        const std::uint32_t k = flow.packets++;
        const bool reverse = k == 1 || (k > 3 && random.below(8) != 0);
        const unsigned total = k < 3 ? 40 : 1500;
        const std::uint32_t client = 0x0a010000 | f, server = 0xc6336400 | (f % 50 + 1);
        std::uint8_t frame[128] = {};
        std::uint8_t* ip = put_ipv4(frame, reverse, total, n, 6, reverse ? server : client, reverse ? client : server);
        std::uint8_t* tcp = ip + 20;
        std::uint32_t& own = reverse ? flow.reverse : flow.forward;
        put16(tcp, reverse ? 80 : 40000 + f);
        put16(tcp + 2, reverse ? 40000 + f : 80);
        put32(tcp + 4, own);
        put32(tcp + 8, reverse ? flow.forward : flow.reverse);
        own += k < 2 ? 1 : total - 40;
        tcp[12] = 0x50;
        tcp[13] = k == 0 ? 0x02 : k == 1 ? 0x12 : 0x10;
        put16(tcp + 14, 65000);
        put_payload(tcp + 20, k, reverse, n);
        const std::uint32_t wire = std::max(14 + total, 60u);
        out.add(kFirstSecond * 1'000'000 + n * 60'000'000 / packets, std::min(wire, kCaptured), wire, frame);
    }
}

}  // namespace
}  // namespace nfstreamd::bench

int main(int argc, char** argv) {
    const auto packets = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
    if (packets == 0) {
        std::fprintf(stderr, "usage: bulk OUT PACKETS\n");
        return 2;
    }
    nfstreamd::bench::write(argv[1], packets);
    return 0;
}
