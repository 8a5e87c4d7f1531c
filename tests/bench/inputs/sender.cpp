// SPDX-License-Identifier: Apache-2.0
// sender INTERFACE FILE PPS [COUNT]: packets of a capture from memory into an
// interface, at so many a second (0: as fast as they go), COUNT of them, from
// the start again when the file is over. Prints one line of JSON.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

constexpr std::size_t kBatch = 32, kMost = std::size_t{2} << 30;  // octets kept in memory

struct Frame {
    std::size_t at;
    std::uint32_t length;
};

struct Capture {
    std::vector<std::uint8_t> octets;
    std::vector<Frame> frames;
};

Capture read(pcap_t* capture, std::uint64_t count) {
    Capture found;
    pcap_pkthdr* header;
    const u_char* data;
    while (found.frames.size() < count && pcap_next_ex(capture, &header, &data) == 1) {
        if (header->caplen < 14 || header->caplen > 1514) continue;  // what a link with an MTU of 1500 takes
        if (found.octets.size() + header->caplen > kMost) break;
        found.frames.push_back({found.octets.size(), header->caplen});
        found.octets.insert(found.octets.end(), data, data + header->caplen);
    }
    return found;
}

int open_link(const char* interface) {
    const int link = socket(AF_PACKET, SOCK_RAW, 0);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface));
    if (link < 0 || bind(link, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
    const int on = 1, buffer = 64 << 20;
    setsockopt(link, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
    setsockopt(link, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
    return link;
}

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Sent {
    std::uint64_t packets = 0, octets = 0, refused = 0;
};

Sent send(int link, const Capture& capture, double rate, std::uint64_t count) {
    Sent sent;
    std::array<mmsghdr, kBatch> messages{};
    std::array<iovec, kBatch> parts{};
    const double start = now();
    const std::size_t n = capture.frames.size();
    for (std::uint64_t next = 0; next < count;) {
        unsigned batch = 0;
        for (; batch < kBatch && next + batch < count; ++batch) {
            const Frame& frame = capture.frames[(next + batch) % n];
            parts[batch] = {const_cast<std::uint8_t*>(&capture.octets[frame.at]), frame.length};
            messages[batch].msg_hdr.msg_iov = &parts[batch];
            messages[batch].msg_hdr.msg_iovlen = 1;
        }
        while (rate > 0 && (now() - start) * rate < static_cast<double>(next)) continue;  // sleeping is too coarse
        const int done = sendmmsg(link, messages.data(), batch, 0);
        if (done <= 0) {
            if (errno == ENOBUFS || errno == EAGAIN) continue;
            ++sent.refused;
            ++next;
            continue;
        }
        for (int i = 0; i < done; ++i) sent.octets += parts[static_cast<std::size_t>(i)].iov_len;
        sent.packets += static_cast<unsigned>(done);
        next += static_cast<unsigned>(done);
    }
    return sent;
}

}  // namespace

int main(int argc, char** argv) {
    char error[PCAP_ERRBUF_SIZE] = "usage: sender INTERFACE FILE PPS [COUNT]";
    pcap_t* file = argc == 4 || argc == 5 ? pcap_open_offline(argv[2], error) : nullptr;
    if (file == nullptr) {
        std::fprintf(stderr, "%s\n", error);
        return 1;
    }
    const std::uint64_t wanted = argc == 5 ? std::strtoull(argv[4], nullptr, 10) : 0;
    const Capture capture = read(file, wanted ? wanted : UINT64_MAX);
    pcap_close(file);
    const int link = open_link(argv[1]);
    if (link < 0 || capture.frames.empty()) {
        std::perror(argv[1]);
        return 1;
    }
    const double start = now();
    const Sent sent = send(link, capture, std::atof(argv[3]), wanted ? wanted : capture.frames.size());
    std::printf("{\"packets\":%lu,\"octets\":%lu,\"refused\":%lu,\"seconds\":%.3f}\n", sent.packets, sent.octets,
                sent.refused, now() - start);
    close(link);
    return 0;
}
