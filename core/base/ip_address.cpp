// SPDX-License-Identifier: Apache-2.0
#include "core/base/ip_address.hpp"

#include <array>

namespace nfstreamd {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr std::size_t kLongest = 45;  // "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"

// "0" to "255", with their lengths: a third of the time of CSV went into
// addresses when inet_ntop made them.
struct OctetText {
    std::array<std::array<char, 4>, 256> digits{};  // the last one is the length

    constexpr OctetText() {
        for (unsigned value = 0; value < 256; ++value) {
            auto& text = digits[value];
            char length = 0;
            const auto put = [&](unsigned digit) {
                text[static_cast<std::size_t>(length++)] = static_cast<char>('0' + digit);
            };
            if (value >= 100) put(value / 100);
            if (value >= 10) put(value / 10 % 10);
            put(value % 10);
            text[3] = length;
        }
    }
};
constexpr OctetText kOctets;

char* put_octet(char* at, std::uint8_t octet) {
    const auto& text = kOctets.digits[octet];
    at[0] = text[0];
    at[1] = text[1];
    at[2] = text[2];
    return at + text[3];
}

char* put_v4(char* at, const std::uint8_t* octets) {
    for (int i = 0; i < 4; ++i) {
        if (i != 0) *at++ = '.';
        at = put_octet(at, octets[i]);
    }
    return at;
}

char* put_group(char* at, unsigned group) {
    if (group >= 0x1000) *at++ = kHex[group >> 12];
    if (group >= 0x100) *at++ = kHex[group >> 8 & 15];
    if (group >= 0x10) *at++ = kHex[group >> 4 & 15];
    *at++ = kHex[group & 15];
    return at;
}

// The longest run of two or more zero groups, the first of equal ones (RFC 5952).
struct ZeroRun {
    int begin = -1, length = 1;

    explicit ZeroRun(const std::array<unsigned, 8>& groups) {
        for (int i = 0, run = 0; i < 8; ++i) {
            run = groups[static_cast<std::size_t>(i)] == 0 ? run + 1 : 0;
            if (run <= length) continue;
            length = run;
            begin = i + 1 - run;
        }
    }
    bool holds(int i) const { return begin >= 0 && i >= begin && i < begin + length; }
};

char* put_v6(char* at, const std::uint8_t* octets) {
    std::array<unsigned, 8> groups;
    for (std::size_t i = 0; i < 8; ++i) groups[i] = static_cast<unsigned>(octets[2 * i] << 8 | octets[2 * i + 1]);
    const ZeroRun zeros(groups);
    const bool v4_inside = zeros.begin == 0 && (zeros.length == 6 || (zeros.length == 5 && groups[5] == 0xffff));
    for (int i = 0; i < 8; ++i) {
        if (zeros.holds(i)) {
            if (i == zeros.begin) *at++ = ':';
            continue;
        }
        if (i != 0) *at++ = ':';
        if (i == 6 && v4_inside) return put_v4(at, octets + 12);
        at = put_group(at, groups[static_cast<std::size_t>(i)]);
    }
    if (zeros.holds(7)) *at++ = ':';
    return at;
}

}  // namespace

void append_text(std::string& out, const IpAddress& address) {
    if (address.version == 0) return;
    char text[kLongest + 3];  // put_octet writes three octets, whatever the length
    char* const end = address.version == 4 ? put_v4(text, address.bytes.data()) : put_v6(text, address.bytes.data());
    out.append(text, end);
}

void append_text(std::string& out, const MacAddress& address) {
    for (std::size_t i = 0; i < address.size(); ++i) {
        if (i != 0) out += ':';
        out += kHex[address[i] >> 4];
        out += kHex[address[i] & 15];
    }
}

std::string to_string(const IpAddress& address) {
    std::string out;
    append_text(out, address);
    return out;
}

std::string to_string(const MacAddress& address) {
    std::string out;
    append_text(out, address);
    return out;
}

}  // namespace nfstreamd
