// SPDX-License-Identifier: Apache-2.0
// Crypto-PAn, pseudonyms of addresses that share as many leading bits as the
// addresses do (Xu, Fan, Ammar, Moon 2002; RFC 6235, 4.1.3): AES-128 decides for
// each prefix whether the bit behind it is turned. Belongs to one thread.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/result.hpp"

namespace nfstreamd::exporters {

class CryptoPan {
public:
    using Key = std::array<std::uint8_t, 32>;  // 16 octets of AES, 16 of which the pad is made

    static Result<std::unique_ptr<CryptoPan>> make(const Key& key);
    ~CryptoPan();

    // 4 or 16 octets in network byte order, replaced by their pseudonym. False:
    // OpenSSL failed, and they are as they were.
    bool replace(std::span<std::uint8_t> address) noexcept;

private:
    struct Cipher;  // OpenSSL's
    CryptoPan(std::unique_ptr<Cipher> cipher, const std::array<std::uint8_t, 16>& pad);

    const std::unique_ptr<Cipher> cipher_;
    const std::array<std::uint8_t, 16> pad_;
};

}  // namespace nfstreamd::exporters
