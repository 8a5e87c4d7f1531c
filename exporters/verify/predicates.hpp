// SPDX-License-Identifier: Apache-2.0
// The words in which the rules of collectors are written. Pure.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>

#include "exporters/verify/collector_profile.hpp"

namespace nfstreamd::exporters::verify {

inline constexpr std::uint16_t kVariable = 65535;

bool is_iana(const FieldView& field, std::initializer_list<std::uint16_t> ids);
bool is_reverse(const FieldView& field);  // an element of RFC 5103's number; not 23 or 24 of NetFlow v9
bool is_reverse_counter(const FieldView& field);
bool is_out_counter(const FieldView& field);  // 23 or 24 of NetFlow v9, or of IPFIX
bool is_enterprise(const FieldView& field);   // of a private enterprise, reverse elements of IANA's not
bool is_list(const FieldView& field);
bool is_options_field(const FieldView& field);
// The forward element stands before this reverse one, or there is none at all.
bool comes_after_forward(const FieldView& field);
bool has_iana(const ipfix::ReadTemplate& of, std::initializer_list<std::uint16_t> ids);  // any of them
bool has_duplicate(const ipfix::ReadTemplate& of);

// The value of an IANA element in the record, if it has it.
std::optional<std::uint64_t> value_of(const RecordView& record, std::uint16_t id);

}  // namespace nfstreamd::exporters::verify
