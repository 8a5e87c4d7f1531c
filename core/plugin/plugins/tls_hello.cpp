// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/plugins/tls_hello.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace nfstreamd::plugins {
namespace {

constexpr std::uint8_t kHandshake = 22, kMajorVersion = 3;
constexpr std::uint16_t kServerName = 0, kSignatureAlgorithms = 13, kAlpn = 16, kSupportedVersions = 43;
constexpr const char* kNothing = "000000000000";

class Reader {
public:
    explicit Reader(Octets octets) : octets_(octets) {}

    bool sound() const { return sound_; }
    bool at_end() const { return octets_.empty(); }
    std::size_t left() const { return octets_.size(); }
    std::size_t number(std::size_t octets) {
        std::size_t value = 0;
        for (const std::uint8_t octet : take(octets)) value = value << 8 | octet;
        return value;
    }
    Octets take(std::size_t size) {
        if (size > octets_.size()) {
            sound_ = false;
            return {};
        }
        return take_some(size);
    }
    Octets take_some(std::size_t size) {  // or what there is
        const Octets taken = octets_.substr(0, size);
        octets_.remove_prefix(taken.size());
        return taken;
    }

private:
    Octets octets_;
    bool sound_ = true;
};

bool is_grease(std::uint16_t value) {  // RFC 8701
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 255);
}

// nfstream looks past the value behind each that it takes out: two in a row leave the second.
std::vector<std::uint16_t> without_grease(std::vector<std::uint16_t> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
        if (is_grease(values[i])) values.erase(values.begin() + static_cast<std::ptrdiff_t>(i));
    return values;
}

std::optional<std::vector<std::uint16_t>> numbers(Octets octets) {
    if (octets.size() % 2 != 0) return std::nullopt;
    Reader reader(octets);
    std::vector<std::uint16_t> out;
    while (!reader.at_end()) out.push_back(static_cast<std::uint16_t>(reader.number(2)));
    return out;
}

// A list of numbers behind its length, which has to be all there is.
std::optional<std::vector<std::uint16_t>> list(Octets extension, std::size_t length_octets) {
    Reader reader(extension);
    const std::size_t length = reader.number(length_octets);
    if (!reader.sound() || extension.size() != length_octets + length) return std::nullopt;
    return numbers(extension.substr(length_octets));
}

void append_hex(std::string& out, std::uint16_t value) {
    static constexpr char kHex[] = "0123456789abcdef";
    for (int shift = 12; shift >= 0; shift -= 4) out += kHex[value >> shift & 15];
}

std::string joined(const std::vector<std::uint16_t>& values) {
    std::string out;
    for (const std::uint16_t value : values) {
        if (!out.empty()) out += ',';
        append_hex(out, value);
    }
    return out;
}

std::string digest(const std::string& text) {
    static constexpr char kHex[] = "0123456789abcdef";
    if (text.empty()) return kNothing;
    std::array<unsigned char, EVP_MAX_MD_SIZE> octets{};
    unsigned size = 0;
    if (::EVP_Digest(text.data(), text.size(), octets.data(), &size, ::EVP_sha256(), nullptr) != 1) return kNothing;
    std::string out;
    for (std::size_t i = 0; i < 6; ++i) {
        out += kHex[octets[i] >> 4];
        out += kHex[octets[i] & 15];
    }
    return out;
}

std::string two_digits(std::size_t count) {
    count = std::min<std::size_t>(count, 99);
    return {static_cast<char>('0' + count / 10), static_cast<char>('0' + count % 10)};
}

std::size_t count_without_grease(const std::vector<std::uint16_t>& values) {
    return static_cast<std::size_t>(std::count_if(values.begin(), values.end(), [](auto v) { return !is_grease(v); }));
}

std::optional<std::uint16_t> version_of(const TlsHello& hello) {
    const Octets* supported = hello.find(kSupportedVersions);
    if (supported == nullptr) return hello.version;
    if (hello.kind == HelloKind::kServer) {
        const auto chosen = numbers(*supported);
        return chosen && chosen->size() == 1 ? std::optional(chosen->front()) : std::nullopt;
    }
    auto offered = list(*supported, 1);
    if (!offered) return std::nullopt;
    const auto versions = without_grease(std::move(*offered));
    if (versions.empty()) return std::nullopt;
    return *std::max_element(versions.begin(), versions.end());
}

// 0x0304 is "13".
std::string version_text(std::uint16_t version) {
    return std::to_string((version >> 8) - 2) + std::to_string((version & 255) - 1);
}

// Octets of the character that begins there, of UTF-8; 0: none does.
std::size_t character(Octets text) {
    const std::uint8_t lead = text[0];
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xc2 && lead < 0xe0 ? 2
                               : lead >= 0xe0 && lead < 0xf0 ? 3
                               : lead >= 0xf0 && lead < 0xf5 ? 4
                                                             : 0;
    if (length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((text[i] & 0xc0) != 0x80) return 0;
    return length;
}

// First and last character of the first protocol that is offered.
std::optional<std::string> alpn_of(const TlsHello& hello) {
    const Octets* extension = hello.find(kAlpn);
    if (extension == nullptr) return "00";
    Reader reader(*extension);
    const std::size_t length = reader.number(2);
    if (!reader.sound() || extension->size() != 2 + length) return std::nullopt;
    if (reader.at_end()) return "00";
    Octets protocol = reader.take_some(reader.number(1));
    if (protocol.empty()) return std::nullopt;
    const Octets first = protocol.substr(0, character(protocol));
    Octets last;
    while (!protocol.empty()) {
        const std::size_t size = character(protocol);
        if (size == 0) return std::nullopt;
        last = protocol.substr(0, size);
        protocol.remove_prefix(size);
    }
    return std::string(first.begin(), first.end()) + std::string(last.begin(), last.end());
}

std::optional<std::string> client_extensions(const TlsHello& hello, std::vector<std::uint16_t> types) {
    types = without_grease(std::move(types));
    std::erase_if(types, [](std::uint16_t type) { return type == kServerName || type == kAlpn; });
    std::sort(types.begin(), types.end());
    std::string text = joined(types);
    if (const Octets* extension = hello.find(kSignatureAlgorithms)) {
        auto algorithms = list(*extension, 2);
        if (!algorithms) return std::nullopt;
        if (!algorithms->empty()) text += '_' + joined(without_grease(std::move(*algorithms)));
    }
    return text;
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

}  // namespace

const Octets* TlsHello::find(std::uint16_t extension) const {
    const auto found = std::find_if(extensions.begin(), extensions.end(),
                                    [extension](const auto& one) { return one.first == extension; });
    return found == extensions.end() ? nullptr : &found->second;
}

std::optional<TlsHello> read_hello(Octets segment, HelloKind kind) {
    Reader reader(segment);
    const Octets record = reader.take(5), handshake = reader.take(4);
    TlsHello hello;
    hello.kind = kind;
    hello.version = static_cast<std::uint16_t>(reader.number(2));
    if (!reader.sound() || record[0] != kHandshake || record[1] != kMajorVersion ||
        handshake[0] != static_cast<std::uint8_t>(kind) || hello.version >> 8 != kMajorVersion)
        return std::nullopt;
    reader.take(32);                // random
    reader.take(reader.number(1));  // session
    if (kind == HelloKind::kClient) {
        auto ciphers = numbers(reader.take(reader.number(2)));
        if (!ciphers) return std::nullopt;
        hello.ciphers = std::move(*ciphers);
        reader.take(reader.number(1));  // compression methods
    } else {
        hello.ciphers.push_back(static_cast<std::uint16_t>(reader.number(2)));
        reader.take(1);
    }
    if (!reader.sound()) return std::nullopt;
    if (reader.at_end()) return hello;  // TLS 1.2 and before may have no extensions at all
    Reader extensions(reader.take_some(reader.number(2)));
    if (!reader.sound()) return std::nullopt;
    while (!extensions.at_end()) {
        const auto type = static_cast<std::uint16_t>(extensions.number(2));
        // of a length that is cut off the half counts, as in nfstream
        const std::size_t length = extensions.number(extensions.left() == 1 ? 1 : 2);
        const Octets value = extensions.take_some(length);
        if (!extensions.sound()) return std::nullopt;
        const auto former = std::find_if(hello.extensions.begin(), hello.extensions.end(),
                                         [type](const auto& one) { return one.first == type; });
        if (former == hello.extensions.end())
            hello.extensions.emplace_back(type, value);
        else
            former->second = value;
    }
    return hello;
}

std::optional<std::string> ja4(const TlsHello& hello) {
    std::vector<std::uint16_t> types;
    for (const auto& [type, value] : hello.extensions) types.push_back(type);
    const auto version = version_of(hello);
    const auto alpn = alpn_of(hello);
    if (!version || !alpn) return std::nullopt;
    const bool client = hello.kind == HelloKind::kClient;
    std::string out = "t" + version_text(*version);
    if (client) {
        out += hello.find(kServerName) != nullptr ? 'd' : 'i';
        out += two_digits(count_without_grease(hello.ciphers));
    }
    out += two_digits(count_without_grease(types)) + *alpn + '_';
    if (!client) {
        append_hex(out, hello.ciphers.front());
        return lower(out + '_' + digest(joined(types)));
    }
    auto ciphers = without_grease(hello.ciphers);
    std::sort(ciphers.begin(), ciphers.end());
    const auto extensions = client_extensions(hello, types);
    if (!extensions) return std::nullopt;
    return lower(out + digest(joined(ciphers)) + '_' + digest(*extensions));
}

}  // namespace nfstreamd::plugins
