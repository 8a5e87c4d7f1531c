// SPDX-License-Identifier: Apache-2.0
// A template as the reader keeps it, and the JSON object of one data record made
// with it. Knows the field table and the names of elements, nothing of sessions.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/information_element.hpp"
#include "exporters/ipfix/byte_reader.hpp"
#include "exporters/ipfix/derived_columns.hpp"
#include "exporters/ipfix/fixbuf_model.hpp"

namespace nfstreamd::exporters::ipfix {

struct ReadElement {
    std::uint32_t pen = 0;
    std::uint16_t id = 0, length = 0;  // 65535: variable
};

// Columns that travel under an element of their protocol: of those fields the
// one that is not empty.
inline constexpr std::array<std::string_view, 3> kJoinedColumns{"requested_server_name", "client_fingerprint",
                                                                "server_fingerprint"};

struct ReadField {
    ReadElement element;
    WireType type = WireType::kOctetArray;
    std::optional<std::size_t> joined;  // part of kJoinedColumns[joined]
    std::optional<ScopedFact> fact;
    std::string key;  // of the JSON object, unique in the template
};

struct ReadTemplate {
    std::vector<ReadField> fields;
    std::size_t minimum_length = 0;  // of a record
    bool is_options = false, is_flow = false;
    std::array<bool, kJoinedColumns.size()> joined{};  // columns to be made of their parts
    DerivedColumns derived;
    std::uint32_t private_enterprise_number = 0;  // whose elements are the table's own; 0: none
};
using ReadTemplates = std::map<std::uint16_t, ReadTemplate>;

ReadTemplate make_read_template(std::span<const ReadElement> elements, bool is_options,
                                std::uint32_t private_enterprise_number);

// Appends one record's object; false when its bytes end too early. `templates`
// serve nested lists.
bool append_json_record(std::string& out, ByteReader& bytes, const ReadTemplate& tmpl, const ReadTemplates& templates);

}  // namespace nfstreamd::exporters::ipfix
