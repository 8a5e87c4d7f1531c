// SPDX-License-Identifier: Apache-2.0
#include "exporters/anonymize/crypto_pan.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace nfstreamd::exporters {
namespace {

constexpr std::size_t kBlock = 16, kMostBits = 128;

struct Free {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { ::EVP_CIPHER_CTX_free(context); }
};

}  // namespace

struct CryptoPan::Cipher {
    std::unique_ptr<EVP_CIPHER_CTX, Free> context;

    bool encrypt(std::span<const std::uint8_t> blocks, std::uint8_t* out) noexcept {
        int length = 0;
        return ::EVP_EncryptUpdate(context.get(), out, &length, blocks.data(), static_cast<int>(blocks.size())) == 1 &&
               static_cast<std::size_t>(length) == blocks.size();
    }
};

CryptoPan::CryptoPan(std::unique_ptr<Cipher> cipher, const std::array<std::uint8_t, 16>& pad)
    : cipher_(std::move(cipher)), pad_(pad) {}

CryptoPan::~CryptoPan() = default;

Result<std::unique_ptr<CryptoPan>> CryptoPan::make(const Key& key) {
    auto cipher = std::make_unique<Cipher>();
    cipher->context.reset(::EVP_CIPHER_CTX_new());
    std::array<std::uint8_t, kBlock> pad;
    const bool good =
        cipher->context &&
        ::EVP_EncryptInit_ex(cipher->context.get(), ::EVP_aes_128_ecb(), nullptr, key.data(), nullptr) == 1 &&
        ::EVP_CIPHER_CTX_set_padding(cipher->context.get(), 0) == 1 &&
        cipher->encrypt(std::span(key).last<kBlock>(), pad.data());
    if (!good) return Error{ErrorCode::kInternal, "OpenSSL: no AES-128", ""};
    return std::unique_ptr<CryptoPan>(new CryptoPan(std::move(cipher), pad));
}

// One block for each prefix: its bits, then those of the pad. What is encrypted
// depends on the address alone, so that all blocks go in one call.
bool CryptoPan::replace(std::span<std::uint8_t> address) noexcept {
    assert(address.size() == 4 || address.size() == 16);
    std::array<std::uint8_t, kBlock * kMostBits> blocks, encrypted;
    const std::size_t bits = 8 * address.size();
    std::array<std::uint8_t, kBlock> block = pad_;
    for (std::size_t bit = 0; bit < bits; ++bit) {
        std::copy(block.begin(), block.end(), blocks.begin() + static_cast<std::ptrdiff_t>(kBlock * bit));
        const auto mask = static_cast<std::uint8_t>(0x80 >> bit % 8);
        std::uint8_t& octet = block[bit / 8];
        octet = static_cast<std::uint8_t>((octet & ~mask) | (address[bit / 8] & mask));
    }
    if (!cipher_->encrypt(std::span(blocks).first(kBlock * bits), encrypted.data())) return false;
    for (std::size_t bit = 0; bit < bits; ++bit)
        address[bit / 8] = static_cast<std::uint8_t>(address[bit / 8] ^ encrypted[kBlock * bit] >> 7 << (7 - bit % 8));
    return true;
}

}  // namespace nfstreamd::exporters
