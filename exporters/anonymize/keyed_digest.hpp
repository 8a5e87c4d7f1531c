// SPDX-License-Identifier: Apache-2.0
// Keyed BLAKE2b with 32 octets (RFC 7693). Belongs to one thread.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/base/result.hpp"

namespace nfstreamd::exporters {

class KeyedDigest {
public:
    using Octets = std::array<std::uint8_t, 32>;

    static Result<std::unique_ptr<KeyedDigest>> make(std::span<const std::uint8_t> key);
    ~KeyedDigest();

    // False: out of memory, `out` tells nothing.
    bool digest(std::string_view text, Octets& out) noexcept;

private:
    struct State;  // OpenSSL's
    explicit KeyedDigest(std::unique_ptr<State> state);

    const std::unique_ptr<State> state_;
};

}  // namespace nfstreamd::exporters
