// SPDX-License-Identifier: Apache-2.0
#include "exporters/anonymize/address_anonymizer.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "core/base/mixing.hpp"
#include "core/base/random_words.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr std::size_t kKnown = 16384;  // half a megabyte

std::span<std::uint8_t> octets(IpAddress& address) {
    return std::span(address.bytes).first(address.version == 6 ? 16 : 4);
}

bool all_zero(std::span<const std::uint8_t> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool is_special_v4(const IpAddress& address) {
    const auto bytes = std::span(address.bytes).first<4>();
    return all_zero(bytes) || bytes[0] == 127 || bytes[0] >> 4 == 14 ||
           std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 255; });
}

// Groups that are assigned for good; those of one's own making may hold a prefix (RFC 3306).
bool is_assigned_group(const IpAddress& address) {
    return address.bytes[0] == 0xff && address.bytes[1] >> 4 == 0;
}

bool is_special_v6(const IpAddress& address) {
    return is_assigned_group(address) ||
           (all_zero(std::span(address.bytes).first<15>()) && address.bytes[15] <= 1);  // unspecified, loopback
}

// The group of a node's solicitations has the end of its address (RFC 4291, 2.7.1).
constexpr std::array<std::uint8_t, 13> kSolicitedNode{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};

std::optional<IpAddress> special(IpAddress address) {
    if (address.version == 0) return address;
    if (address.version != 6) return is_special_v4(address) ? std::optional(address) : std::nullopt;
    if (!is_special_v6(address)) return std::nullopt;
    if (std::equal(kSolicitedNode.begin(), kSolicitedNode.end(), address.bytes.begin()))
        std::fill(address.bytes.begin() + kSolicitedNode.size(), address.bytes.end(), std::uint8_t{0});
    return address;
}

std::uint64_t hash(const IpAddress& address, std::uint64_t seed) {
    std::uint64_t words[2];
    std::memcpy(words, address.bytes.data(), sizeof words);
    return multiply_mix(words[0] ^ seed, splitmix_finish(words[1] + address.version) ^ kSplitmixStep);
}

}  // namespace

AddressAnonymizer::AddressAnonymizer(const AnonymizationOptions& options, std::unique_ptr<CryptoPan> pseudonyms)
    : method_(options.addresses),
      prefix_length_v4_(options.prefix_length_v4),
      prefix_length_v6_(options.prefix_length_v6),
      pseudonyms_(std::move(pseudonyms)),
      seed_(random_word()),
      known_(pseudonyms_ ? kKnown : 0) {}

Result<std::unique_ptr<AddressAnonymizer>> AddressAnonymizer::make(const AnonymizationOptions& options,
                                                                   const CryptoPan::Key& key) {
    std::unique_ptr<CryptoPan> pseudonyms;
    if (options.addresses == AddressMethod::kPrefixPreserving) {
        auto made = CryptoPan::make(key);
        if (!made) return made.error();
        pseudonyms = std::move(made.value());
    }
    return std::unique_ptr<AddressAnonymizer>(new AddressAnonymizer(options, std::move(pseudonyms)));
}

IpAddress AddressAnonymizer::anonymize(const IpAddress& address) noexcept {
    if (method_ == AddressMethod::kOff) return address;
    if (const auto kept = special(address)) return *kept;
    return method_ == AddressMethod::kTruncate ? truncated(address) : pseudonym(address);
}

IpAddress AddressAnonymizer::truncated(IpAddress address) const noexcept {
    int left = address.version == 6 ? prefix_length_v6_ : prefix_length_v4_;
    for (std::uint8_t& octet : octets(address)) {
        const int kept = std::clamp(left, 0, 8);
        octet = static_cast<std::uint8_t>(octet & 0xff00 >> kept);
        left -= 8;
    }
    return address;
}

// Where it cannot be made, for want of memory, there is rather no address.
IpAddress AddressAnonymizer::pseudonym(const IpAddress& address) noexcept {
    Known& known = known_[hash(address, seed_) % kKnown];
    if (known.address == address) return known.pseudonym;
    IpAddress made = address;
    if (!pseudonyms_->replace(octets(made))) return {.bytes = {}, .version = address.version};
    known = {address, made};
    return made;
}

}  // namespace nfstreamd::exporters
