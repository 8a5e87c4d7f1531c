// SPDX-License-Identifier: Apache-2.0
// Decodes a frame that was made by hand.
#pragma once
#include <array>
#include <cstring>
#include <memory>
#include <string>

#include "core/base/ip_address.hpp"
#include "core/packet/decode.hpp"
#include "tests/support/packet_builder.hpp"

namespace nfstreamd::test {

// The frame in a block of exactly its size: one octet too far is seen by AddressSanitizer.
struct Decoded {
    Decoded(int link_type, const Bytes& frame, DecodeOptions options = {}, std::size_t captured = SIZE_MAX)
        : size(std::min(captured, frame.size())), block(std::make_unique<std::uint8_t[]>(size)) {
        std::memcpy(block.get(), frame.data(), size);
        result = decode(link_type,
                        {5, block.get(), static_cast<std::uint32_t>(size), static_cast<std::uint32_t>(frame.size())},
                        options, packet);
    }

    std::string address(bool destination) const {
        IpAddress out;
        out.version = packet.version;
        const bool v4 = packet.version == 4;
        const std::size_t length = v4 ? 4 : 16;
        std::memcpy(out.bytes.data(), packet.ip + (v4 ? 12 : 8) + (destination ? length : 0), length);
        return to_string(out);
    }
    std::string source() const { return address(false); }
    std::string destination() const { return address(true); }
    std::size_t ip_offset() const { return static_cast<std::size_t>(packet.ip - block.get()); }
    std::array<int, 4> sizes() const { return {packet.sizes[0], packet.sizes[1], packet.sizes[2], packet.sizes[3]}; }

    std::size_t size;
    std::unique_ptr<std::uint8_t[]> block;
    Packet packet;
    DecodeResult result;
};

}  // namespace nfstreamd::test
