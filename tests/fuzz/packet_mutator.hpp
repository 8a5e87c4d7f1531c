// SPDX-License-Identifier: Apache-2.0
// Makes other packets of packets, as a network might: fields of their headers,
// tunnels around them, answers, fragments, and their order and times.
#pragma once
#include <cstdint>
#include <random>

#include "tests/fuzz/packet_list.hpp"

namespace nfstreamd::fuzz {

class PacketMutator {
public:
    explicit PacketMutator(unsigned seed) : random_(seed) {}

    void mutate(PacketList& list);
    // Frames of both, those of the second behind some of the first.
    PacketList cross(const PacketList& first, const PacketList& second);

private:
    using Octets = std::vector<std::uint8_t>;
    struct Headers {  // where they are in an Ethernet frame; 0: there is none
        std::size_t ip = 0, transport = 0;
        std::uint8_t version = 0, protocol = 0;
    };

    std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }
    std::uint16_t interesting16();
    static Headers headers_of(const Octets& frame);

    void change_list(PacketList& list);
    void change_time(ListedFrame& frame);
    void change_ip(Octets& frame);
    void change_fragment(Octets& frame);
    void change_transport(Octets& frame);
    void change_payload(Octets& frame);
    void answer(Octets& frame);
    void wrap(Octets& frame);
    void fix_lengths(Octets& frame);
    static void put16(Octets& frame, std::size_t at, std::size_t value);
    static std::uint16_t get16(const Octets& frame, std::size_t at);

    std::minstd_rand random_;
};

}  // namespace nfstreamd::fuzz
