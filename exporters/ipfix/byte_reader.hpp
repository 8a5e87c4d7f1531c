// SPDX-License-Identifier: Apache-2.0
// Big-endian reading of bytes from outside. Every read is checked: one that
// would pass the end yields zero and marks the reader as failed.
#pragma once
#include <cstdint>
#include <span>

namespace nfstreamd::exporters::ipfix {

class ByteReader {
public:
    explicit ByteReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    std::size_t remaining() const noexcept { return bytes_.size(); }
    bool failed() const noexcept { return failed_; }

    std::uint64_t number(std::size_t octets) noexcept {  // at most 8
        std::uint64_t value = 0;
        for (const std::uint8_t byte : take(octets)) value = value << 8 | byte;
        return value;
    }
    std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u32() noexcept { return static_cast<std::uint32_t>(number(4)); }

    std::span<const std::uint8_t> take(std::size_t octets) noexcept {
        if (octets > bytes_.size()) {
            failed_ = true;
            bytes_ = {};
            return {};
        }
        const auto out = bytes_.first(octets);
        bytes_ = bytes_.subspan(octets);
        return out;
    }

    // A field's octets: `length`, or behind a prefix when that is 65535 (RFC 7011, section 7).
    std::span<const std::uint8_t> field(std::uint16_t length) noexcept {
        if (length != 65535) return take(length);
        const std::uint8_t short_length = u8();
        return take(short_length < 255 ? short_length : u16());
    }

private:
    std::span<const std::uint8_t> bytes_;
    bool failed_ = false;
};

}  // namespace nfstreamd::exporters::ipfix
