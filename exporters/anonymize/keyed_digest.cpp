// SPDX-License-Identifier: Apache-2.0
#include "exporters/anonymize/keyed_digest.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <utility>

namespace nfstreamd::exporters {
namespace {

struct Free {
    void operator()(EVP_MAC* mac) const noexcept { ::EVP_MAC_free(mac); }
    void operator()(EVP_MAC_CTX* context) const noexcept { ::EVP_MAC_CTX_free(context); }
};

}  // namespace

struct KeyedDigest::State {
    std::unique_ptr<EVP_MAC_CTX, Free> keyed;
};

KeyedDigest::KeyedDigest(std::unique_ptr<State> state) : state_(std::move(state)) {}

KeyedDigest::~KeyedDigest() = default;

Result<std::unique_ptr<KeyedDigest>> KeyedDigest::make(std::span<const std::uint8_t> key) {
    const std::unique_ptr<EVP_MAC, Free> algorithm(::EVP_MAC_fetch(nullptr, "BLAKE2BMAC", nullptr));
    auto state = std::make_unique<State>();
    if (algorithm) state->keyed.reset(::EVP_MAC_CTX_new(algorithm.get()));
    std::size_t size = Octets().size();
    const OSSL_PARAM parameters[] = {::OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                                     ::OSSL_PARAM_construct_end()};
    if (!state->keyed || ::EVP_MAC_init(state->keyed.get(), key.data(), key.size(), parameters) != 1)
        return Error{ErrorCode::kInternal, "OpenSSL: no BLAKE2BMAC", ""};
    return std::unique_ptr<KeyedDigest>(new KeyedDigest(std::move(state)));
}

// Without a key the context begins anew with the one that it has.
bool KeyedDigest::digest(std::string_view text, Octets& out) noexcept {
    EVP_MAC_CTX* context = state_->keyed.get();
    std::size_t size = 0;
    return ::EVP_MAC_init(context, nullptr, 0, nullptr) == 1 &&
           ::EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1 &&
           ::EVP_MAC_final(context, out.data(), &size, out.size()) == 1 && size == out.size();
}

}  // namespace nfstreamd::exporters
