// SPDX-License-Identifier: Apache-2.0
// Makes MMDB files (MaxMind DB file format 2.0). Shorter prefixes before those
// that they hold.
#pragma once
#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nfstreamd::test {

// Encoded values.
namespace mmdb {

inline std::string big_endian(std::uint64_t number, unsigned octets) {
    std::string out;
    for (unsigned i = octets; i-- > 0;) out += static_cast<char>(number >> 8 * i);
    return out;
}

inline std::string control(unsigned type, std::size_t size) {
    constexpr unsigned kExtended = 7;  // types above have an octet of their own
    std::string out(1, static_cast<char>((type > kExtended ? 0 : type) << 5));
    const std::string extension = type > kExtended ? std::string(1, static_cast<char>(type - kExtended)) : "";
    if (size < 29) {
        out[0] = static_cast<char>(out[0] | static_cast<char>(size));
        return out + extension;
    }
    if (size < 285) {
        out[0] = static_cast<char>(out[0] | 29);
        return out + extension + big_endian(size - 29, 1);
    }
    out[0] = static_cast<char>(out[0] | 30);
    return out + extension + big_endian(size - 285, 2);
}

inline std::string text(std::string_view value) {
    return control(2, value.size()) + std::string(value);
}
inline std::string u16(std::uint16_t value) {
    return control(5, 2) + big_endian(value, 2);
}
inline std::string u32(std::uint32_t value) {
    return control(6, 4) + big_endian(value, 4);
}
inline std::string u64(std::uint64_t value) {
    return control(9, 8) + big_endian(value, 8);
}
inline std::string map(const std::vector<std::pair<std::string, std::string>>& members) {
    std::string out = control(7, members.size());
    for (const auto& [key, value] : members) out += text(key) + value;
    return out;
}
inline std::string list(const std::vector<std::string>& members) {
    std::string out = control(11, members.size());
    for (const auto& member : members) out += member;
    return out;
}

inline std::string system(std::uint32_t asn, std::string_view organization) {
    return map({{"autonomous_system_number", u32(asn)}, {"autonomous_system_organization", text(organization)}});
}
inline std::string country(std::string_view code) {
    return map({{"country", map({{"iso_code", text(code)}})}});
}

}  // namespace mmdb

class MmdbWriter {
public:
    explicit MmdbWriter(std::string type, unsigned ip_version = 6, std::uint64_t build_epoch = 1'700'000'000)
        : type_(std::move(type)), ip_version_(ip_version), build_epoch_(build_epoch) {}

    void add(const std::string& prefix, const std::string& record) {
        const auto slash = prefix.find('/');
        const std::string address = prefix.substr(0, slash);
        unsigned bits = static_cast<unsigned>(std::stoul(prefix.substr(slash + 1)));
        std::array<std::uint8_t, 16> key{};
        const bool v4 = address.find(':') == std::string::npos;
        std::uint8_t* at = v4 && ip_version_ == 6 ? key.data() + 12 : key.data();
        if (::inet_pton(v4 ? AF_INET : AF_INET6, address.c_str(), at) != 1) throw std::invalid_argument(prefix);
        if (v4 && ip_version_ == 6) bits += 96;
        add(key, bits, record);
    }
    void add(const std::array<std::uint8_t, 16>& key, unsigned bits, const std::string& record) {
        const auto [place, fresh] = offsets_.try_emplace(record, data_.size());
        if (fresh) data_ += record;
        std::size_t node = 0;
        for (unsigned bit = 0; bit + 1 < bits; ++bit) {
            const unsigned side = key[bit / 8] >> (7 - bit % 8) & 1;
            const Record next = nodes_[node][side];
            if (next.kind != kNode) {  // what a shorter prefix said holds for both halves
                nodes_[node][side] = {kNode, nodes_.size()};
                nodes_.push_back({next, next});
            }
            node = nodes_[node][side].value;
        }
        const unsigned last = bits - 1;
        nodes_[node][key[last / 8] >> (7 - last % 8) & 1] = {kRecord, place->second};
    }

    std::string file() const {
        constexpr std::size_t kGap = 16;
        std::string out;
        out.reserve(nodes_.size() * 8 + data_.size() + 1024);
        for (const auto& node : nodes_)
            for (const Record& record : node)
                out += mmdb::big_endian(record.kind == kNode      ? record.value
                                        : record.kind == kNothing ? nodes_.size()
                                                                  : nodes_.size() + kGap + record.value,
                                        4);
        return out + std::string(kGap, '\0') + data_ + "\xab\xcd\xefMaxMind.com" + metadata();
    }
    void write(const std::string& path) const { std::ofstream(path, std::ios::binary) << file(); }

private:
    enum Kind : std::uint8_t { kNothing, kNode, kRecord };
    struct Record {
        Kind kind = kNothing;
        std::size_t value = 0;
    };

    std::string metadata() const {
        using namespace mmdb;
        return map({{"node_count", u32(static_cast<std::uint32_t>(nodes_.size()))},
                    {"record_size", u16(32)},
                    {"ip_version", u16(static_cast<std::uint16_t>(ip_version_))},
                    {"database_type", text(type_)},
                    {"languages", list({text("en")})},
                    {"binary_format_major_version", u16(2)},
                    {"binary_format_minor_version", u16(0)},
                    {"build_epoch", u64(build_epoch_)},
                    {"description", map({{"en", text("for tests")}})}});
    }

    std::string type_;
    unsigned ip_version_;
    std::uint64_t build_epoch_;
    std::vector<std::array<Record, 2>> nodes_{1};
    std::string data_;
    std::map<std::string, std::size_t> offsets_;
};

}  // namespace nfstreamd::test
