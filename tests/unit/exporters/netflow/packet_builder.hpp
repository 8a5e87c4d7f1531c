// SPDX-License-Identifier: Apache-2.0
// NetFlow packets written by hand, and a reader that keeps its lines.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/ipfix/message_reader.hpp"

namespace nfstreamd::test {

struct NetflowBuilder {
    std::vector<std::uint8_t> bytes;
    std::size_t set = 0;

    NetflowBuilder& u8(unsigned v) {
        bytes.push_back(static_cast<std::uint8_t>(v));
        return *this;
    }
    NetflowBuilder& u16(unsigned v) { return u8(v >> 8).u8(v & 0xff); }
    NetflowBuilder& u32(std::uint32_t v) { return u16(v >> 16).u16(v & 0xffff); }
    NetflowBuilder& begin_set(unsigned id) {
        set = bytes.size();
        return u16(id).u16(0);
    }
    NetflowBuilder& end_set() {
        while (bytes.size() % 4 != 0) u8(0);
        bytes[set + 2] = static_cast<std::uint8_t>((bytes.size() - set) >> 8);
        bytes[set + 3] = static_cast<std::uint8_t>(bytes.size() - set);
        return *this;
    }
};

inline NetflowBuilder netflow9(std::uint32_t sequence, std::uint32_t uptime = 100'000, std::uint32_t source_id = 0) {
    NetflowBuilder packet;
    packet.u16(9).u16(1).u32(uptime).u32(1'700'000'000).u32(sequence).u32(source_id);
    return packet;
}

inline NetflowBuilder netflow5(unsigned count, std::uint32_t sequence, std::uint32_t uptime = 100'000,
                               unsigned sampling = 0) {
    NetflowBuilder packet;
    packet.u16(5).u16(count).u32(uptime).u32(1'700'000'000).u32(250'000'000).u32(sequence);
    packet.u8(1).u8(2).u16(sampling);
    return packet;
}

inline void add_v5_record(NetflowBuilder& packet, std::uint32_t first, std::uint32_t last) {
    packet.u32(0xc0000201).u32(0xc0000202).u32(0).u16(3).u16(4).u32(10).u32(1000).u32(first).u32(last);
    packet.u16(50000).u16(443).u8(0).u8(0x1b).u8(6).u8(0).u16(0).u16(0).u8(24).u8(16).u16(0);
}

struct LineReader {
    std::vector<std::string> lines;
    exporters::ipfix::MessageReader reader{[this](std::string_view line) { lines.emplace_back(line); }};

    void feed(const NetflowBuilder& packet, std::string_view source = "a") {
        reader.feed_datagram(packet.bytes, source);
    }
    bool last_has(std::string_view part) const {
        return !lines.empty() && lines.back().find(part) != std::string::npos;
    }
};

}  // namespace nfstreamd::test
