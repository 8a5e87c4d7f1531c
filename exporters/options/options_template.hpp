// SPDX-License-Identifier: Apache-2.0
// A kind of options records as a table: the fields of its template, and rows of
// values. How they look on the wire is for OptionsWriter. Plain values.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/ip_address.hpp"

namespace nfstreamd::exporters {

inline constexpr std::uint16_t kVariableText = 65535;  // RFC 7011, 3.2; of strings only, never in NetFlow v9

struct OptionsField {
    std::uint16_t id;
    std::uint16_t length;  // of numbers, may be less than their type's (RFC 7011, 6.2)
    std::uint32_t pen = 0;
    friend bool operator==(const OptionsField&, const OptionsField&) = default;
};

// The scopes that NetFlow v9 has (RFC 3954, 6.1).
enum class NetflowScope : std::uint8_t { kSystem = 1, kInterface = 2, kTemplate = 5 };

struct OptionsTemplate {
    std::string_view name;             // for people: "applications"
    std::vector<OptionsField> fields;  // the scope first; the same one may come twice
    std::size_t scopes = 1;            // of the fields
    NetflowScope netflow_scope = NetflowScope::kSystem;
    // Each record in a Set of its own: nfcapd reads the first one of a Set of sampling options only.
    bool alone = false;
    friend bool operator==(const OptionsTemplate&, const OptionsTemplate&) = default;
};

// A number that is too large for its octets becomes the greatest that fits. Text is
// made valid UTF-8, and cut to its length. Octets and addresses have theirs.
using OptionsValue = std::variant<std::uint64_t, double, std::string, IpAddress, MacAddress, std::vector<std::uint8_t>>;
using OptionsRow = std::vector<OptionsValue>;  // one for each field of the template

struct OptionsTable {
    OptionsTemplate tmpl;
    std::vector<OptionsRow> rows;
};

}  // namespace nfstreamd::exporters
