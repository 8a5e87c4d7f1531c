// SPDX-License-Identifier: Apache-2.0
// Builds classic pcap files octet by octet, good ones and broken ones.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace nfstreamd::test {

struct PcapVariant {
    bool swapped = false;  // the other byte order than this machine's
    bool nanoseconds = false;
};

class PcapWriter {
public:
    explicit PcapWriter(std::uint32_t link_type = 1, std::uint32_t snapshot_length = 262144, PcapVariant variant = {})
        : swapped_(variant.swapped) {
        put32(variant.nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4);
        put16(2);
        put16(4);
        put32(0);
        put32(0);
        put32(snapshot_length);
        put32(link_type);
    }

    // `fraction` is in the unit of the file. A wire length of 0 means all was captured.
    void add(std::uint32_t seconds, std::uint32_t fraction, std::span<const std::uint8_t> frame,
             std::uint32_t wire_length = 0) {
        const auto length = static_cast<std::uint32_t>(frame.size());
        add_header(seconds, fraction, length, wire_length == 0 ? length : wire_length);
        octets_.insert(octets_.end(), frame.begin(), frame.end());
    }

    void add_header(std::uint32_t seconds, std::uint32_t fraction, std::uint32_t captured, std::uint32_t wire) {
        for (const std::uint32_t value : {seconds, fraction, captured, wire}) put32(value);
    }

    std::vector<std::uint8_t>& octets() { return octets_; }

    std::string save(const std::filesystem::path& path) const {
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(octets_.data()), static_cast<std::streamsize>(octets_.size()));
        return path.string();
    }

private:
    void put16(std::uint16_t value) { put(swapped_ ? __builtin_bswap16(value) : value); }
    void put32(std::uint32_t value) { put(swapped_ ? __builtin_bswap32(value) : value); }

    template <class T>
    void put(T value) {
        const auto bytes = std::bit_cast<std::array<std::uint8_t, sizeof(T)>>(value);
        octets_.insert(octets_.end(), bytes.begin(), bytes.end());
    }

    const bool swapped_;
    std::vector<std::uint8_t> octets_;
};

}  // namespace nfstreamd::test
