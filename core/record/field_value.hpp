// SPDX-License-Identifier: Apache-2.0
// The value of one field of one record. Texts and lists are views of what the
// record's batch owns.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "core/base/ip_address.hpp"

namespace nfstreamd {

struct Unsigned128 {  // an IPv6 address as a number
    std::uint64_t high = 0, low = 0;
    friend bool operator==(const Unsigned128&, const Unsigned128&) = default;
};

using FieldValue = std::variant<std::monostate, std::uint64_t, std::int64_t, double, bool, std::string_view, IpAddress,
                                MacAddress, std::span<const std::int32_t>, Unsigned128>;

struct DeclaredColumn;

// Of a field that was declared at run time (declared_fields.hpp). A record has
// those that were given to it, each column once, in any order.
struct DeclaredValue {
    const DeclaredColumn* column = nullptr;
    FieldValue value;
};

}  // namespace nfstreamd
