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
#include "exporters/ipfix/learnt_elements.hpp"
#include "exporters/ipfix/uptime_clock.hpp"

namespace nfstreamd::exporters::ipfix {

struct ReadElement {
    std::uint32_t pen = 0;
    std::uint16_t id = 0, length = 0;  // 65535: variable
    bool is_scope = false;
    std::uint16_t v9_type = 0;  // NetFlow v9: the number on the wire, when the element is another one
    friend bool operator==(const ReadElement&, const ReadElement&) = default;
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
    bool has_unknown = false;                          // elements that a later record may name
    bool is_stale = false;                             // and one may have: to be made again before it is used
    std::array<bool, kJoinedColumns.size()> joined{};  // columns to be made of their parts
    DerivedColumns derived;
    std::uint32_t private_enterprise_number = 0;  // whose elements are the table's own; 0: none
};
// What a session has told of itself.
struct ReadTemplates {
    std::map<std::uint16_t, ReadTemplate> by_id;
    LearntElements learnt;
};

ReadTemplate make_read_template(std::span<const ReadElement> elements, bool is_options,
                                std::uint32_t private_enterprise_number, const LearntElements& learnt = {});

// Appends one record's object; false when its bytes end too early. `templates`
// serve nested lists; `clock` is by which times since the exporter's start are told.
bool append_json_record(std::string& out, ByteReader& bytes, const ReadTemplate& tmpl, const ReadTemplates& templates,
                        const UptimeClock* clock = nullptr);

}  // namespace nfstreamd::exporters::ipfix
