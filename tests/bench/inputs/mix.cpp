// SPDX-License-Identifier: Apache-2.0
// mix OUT PACKETS FILE...: real traffic from captures. All Ethernet ones are
// merged, again and again with other addresses, until there are PACKETS. The
// copies begin one after the other over 128 s, the captures of each at random
// within a minute of that. Captures longer than two minutes are squeezed into them.
#include <pcap.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <queue>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/bench/inputs/addresses.hpp"
#include "tests/bench/inputs/capture_writer.hpp"
#include "tests/bench/inputs/octets.hpp"

namespace nfstreamd::bench {
namespace {

constexpr std::uint64_t kLongest = 120'000'000, kSpread = 128'000'000, kWithin = 60'000'000;  // microseconds
constexpr std::uint32_t kLargest = 65535;

struct Frame {
    std::uint64_t time;  // from the first one of its capture
    std::uint32_t captured, wire;
    std::size_t at;  // in Captures::octets
};

struct Captures {
    std::vector<std::vector<Frame>> files;
    std::vector<std::uint8_t> octets;
    std::size_t skipped = 0, packets = 0;
};

void read(Captures& captures, pcap_t* capture) {
    std::vector<Frame> frames;
    pcap_pkthdr* header;
    const u_char* data;
    std::uint64_t first = 0, last = 0;
    bool any = false;
    while (pcap_next_ex(capture, &header, &data) == 1) {
        if (header->caplen > kLargest || is_of_a_tunnel(data, header->caplen)) continue;
        const bool odd = header->len < header->caplen || header->len > kLargest;
        const auto time =
            static_cast<std::uint64_t>(header->ts.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(header->ts.tv_usec);
        if (!std::exchange(any, true)) first = last = time;
        last = std::max(last, time);  // time never goes back
        frames.push_back({last - first, header->caplen, odd ? header->caplen : header->len, captures.octets.size()});
        captures.octets.insert(captures.octets.end(), data, data + header->caplen);
    }
    if (frames.empty()) return;
    if (const std::uint64_t length = frames.back().time; length > kLongest)
        for (Frame& frame : frames)
            frame.time =
                static_cast<std::uint64_t>(static_cast<double>(frame.time) * kLongest / static_cast<double>(length));
    captures.packets += frames.size();
    captures.files.push_back(std::move(frames));
}

Captures read_all(char** begin, char** end) {
    Captures captures;
    for (char** path = begin; path != end; ++path) {
        char error[PCAP_ERRBUF_SIZE];
        pcap_t* capture = pcap_open_offline(*path, error);
        if (capture != nullptr && pcap_datalink(capture) == DLT_EN10MB)
            read(captures, capture);
        else
            ++captures.skipped;
        if (capture != nullptr) pcap_close(capture);
    }
    return captures;
}

struct Next {  // the frame that a copy of a capture gives next
    std::uint64_t time;
    unsigned copy;
    std::uint32_t file, frame;
    std::uint64_t begin;
    bool operator>(const Next& other) const {
        return std::tie(time, copy, file) > std::tie(other.time, other.copy, other.file);
    }
};

std::uint64_t write(const char* path, const Captures& captures, unsigned copies) {
    std::priority_queue<Next, std::vector<Next>, std::greater<>> queue;
    Random random(42);
    for (unsigned copy = 0; copy < copies; ++copy)
        for (std::uint32_t file = 0; file < captures.files.size(); ++file) {
            const std::uint64_t begin = kFirstSecond * 1'000'000 + copy * kSpread / copies + random.below(kWithin);
            queue.push({begin, copy, file, 0, begin});
        }
    CaptureWriter out(path, 262144);
    std::vector<std::uint8_t> octets(kLargest);
    std::uint64_t written = 0;
    for (; !queue.empty(); ++written) {
        Next next = queue.top();
        queue.pop();
        const std::vector<Frame>& frames = captures.files[next.file];
        const Frame& frame = frames[next.frame];
        std::copy_n(&captures.octets[frame.at], frame.captured, octets.data());
        shift_addresses(octets.data(), frame.captured, next.copy);
        out.add(next.time, frame.captured, frame.wire, octets.data());
        if (++next.frame == frames.size()) continue;
        next.time = next.begin + frames[next.frame].time;
        queue.push(next);
    }
    return written;
}

}  // namespace
}  // namespace nfstreamd::bench

int main(int argc, char** argv) {
    using namespace nfstreamd::bench;
    const auto packets = argc > 3 ? std::strtoul(argv[2], nullptr, 10) : 0;
    if (packets == 0) {
        std::fprintf(stderr, "usage: mix OUT PACKETS FILE...\n");
        return 2;
    }
    const Captures captures = read_all(argv + 3, argv + argc);
    if (captures.files.empty()) {
        std::fprintf(stderr, "mix: no Ethernet capture among %d files\n", argc - 3);
        return 1;
    }
    const auto copies = static_cast<unsigned>((packets + captures.packets - 1) / captures.packets);
    const std::uint64_t written = write(argv[1], captures, copies);
    std::fprintf(stderr, "mix: %lu packets of %zu captures, %u times; %zu skipped\n", written, captures.files.size(),
                 copies, captures.skipped);
    return 0;
}
