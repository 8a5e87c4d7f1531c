// SPDX-License-Identifier: Apache-2.0
// pstat FILE: what the records of an Ethernet capture must add up to, told
// without any code of nfstreamd's decoder: packets and octets of all frames, of
// IP, of what is metered; and the distinct 5-tuples of that, both directions as
// one. As one line of JSON.
#include <pcap.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace {

std::uint16_t word(const std::uint8_t* p) {
    return static_cast<std::uint16_t>(p[0] << 8 | p[1]);
}

struct Tuple {
    std::uint8_t a[16] = {}, b[16] = {};
    std::uint16_t a_port = 0, b_port = 0;
    std::uint8_t protocol = 0, version = 0, unused[2] = {};

    std::string_view octets() const { return {reinterpret_cast<const char*>(this), sizeof *this}; }
    bool operator==(const Tuple& other) const { return octets() == other.octets(); }
    void order_ends() {
        const int order = std::memcmp(a, b, sizeof a);
        if (order < 0 || (order == 0 && a_port <= b_port)) return;
        std::swap(a, b);
        std::swap(a_port, b_port);
    }
};

struct Hash {
    std::size_t operator()(const Tuple& tuple) const { return std::hash<std::string_view>()(tuple.octets()); }
};

struct Sum {
    std::uint64_t packets = 0, octets = 0;
    void add(std::uint32_t length) { ++packets, octets += length; }
};

struct Totals {
    Sum frames, ip, metered;      // octets on the wire
    std::uint64_t ip_octets = 0;  // as IP says, of `ip`
    std::unordered_set<Tuple, Hash> tuples;
};

// Offset of the IP header behind VLAN tags, MPLS labels and PPPoE; 0: there is none.
std::uint32_t ip_offset(const std::uint8_t* data, std::uint32_t size) {
    std::uint32_t at = 14;
    if (size < at) return 0;
    std::uint16_t type = word(data + 12);
    while ((type == 0x8100 || type == 0x88a8 || type == 0x9100) && at + 4 <= size) {
        type = word(data + at + 2);
        at += 4;
    }
    if (type == 0x8864 && at + 8 <= size) {
        type = word(data + at + 6) == 0x0021 ? 0x0800 : 0x86dd;
        at += 8;
    }
    if (type == 0x8847) {
        for (bool bottom = false; !bottom && at + 4 < size; at += 4) bottom = data[at + 2] & 1;
        type = at < size && data[at] >> 4 == 6 ? 0x86dd : 0x0800;
    }
    if (at + 20 > size) return 0;
    return (type == 0x0800 && data[at] >> 4 == 4) || (type == 0x86dd && data[at] >> 4 == 6 && at + 40 <= size) ? at : 0;
}

void add(Totals& totals, const std::uint8_t* ip, std::uint32_t size, std::uint32_t wire) {
    Tuple tuple;
    std::uint32_t l4;
    bool metered = true;  // not fragments after the first, nor what its header or the capture has no length of
    tuple.version = ip[0] >> 4;
    if (tuple.version == 4) {
        totals.ip_octets += word(ip + 2);
        std::memcpy(tuple.a, ip + 12, 4);
        std::memcpy(tuple.b, ip + 16, 4);
        tuple.protocol = ip[9];
        l4 = (ip[0] & 15u) * 4;
        metered = (word(ip + 6) & 0x1fff) == 0 && word(ip + 2) >= l4;
    } else {
        totals.ip_octets += word(ip + 4) + 40u;
        std::memcpy(tuple.a, ip + 8, 16);
        std::memcpy(tuple.b, ip + 24, 16);
        tuple.protocol = ip[6];
        l4 = 40;
        metered = size >= word(ip + 4) + 40u;
        while ((tuple.protocol == 0 || tuple.protocol == 43 || tuple.protocol == 44 || tuple.protocol == 60) &&
               l4 + 8 <= size) {
            const bool fragment = tuple.protocol == 44;
            metered = metered && !(fragment && word(ip + l4 + 2) & 0xfff8);
            tuple.protocol = ip[l4];
            l4 += fragment ? 8 : (ip[l4 + 1] + 1u) * 8;
        }
    }
    totals.ip.add(wire);
    if (!metered) return;
    totals.metered.add(wire);
    const bool has_ports = tuple.protocol == 6 || tuple.protocol == 17 || tuple.protocol == 132;
    if (has_ports && l4 + 4 <= size) {
        tuple.a_port = word(ip + l4);
        tuple.b_port = word(ip + l4 + 2);
    }
    tuple.order_ends();
    totals.tuples.insert(tuple);
}

}  // namespace

int main(int argc, char** argv) {
    char error[PCAP_ERRBUF_SIZE] = "usage: pstat FILE";
    pcap_t* capture = argc == 2 ? pcap_open_offline(argv[1], error) : nullptr;
    if (capture == nullptr || pcap_datalink(capture) != DLT_EN10MB) {
        std::fprintf(stderr, "%s\n", capture == nullptr ? error : "not Ethernet");
        return 1;
    }
    Totals totals;
    pcap_pkthdr* header;
    const u_char* data;
    while (pcap_next_ex(capture, &header, &data) == 1) {
        totals.frames.add(header->len);
        const std::uint32_t at = ip_offset(data, header->caplen);
        if (at != 0) add(totals, data + at, header->caplen - at, header->len);
    }
    pcap_close(capture);
    std::printf(
        "{\"packets\":%lu,\"octets\":%lu,\"ip_packets\":%lu,\"ip_wire_octets\":%lu,\"ip_octets\":%lu,"
        "\"metered_packets\":%lu,\"metered_octets\":%lu,\"tuples\":%zu}\n",
        totals.frames.packets, totals.frames.octets, totals.ip.packets, totals.ip.octets, totals.ip_octets,
        totals.metered.packets, totals.metered.octets, totals.tuples.size());
    return 0;
}
