// SPDX-License-Identifier: Apache-2.0
// Flow records with all their blocks and texts as octets that outlive the
// process, and back: what a spool keeps. No protocol and no template is in it.
// The octets are of one format, which record_format() names; those of another
// cannot be read. Any thread.
//
// All that a record is made of is listed in record_members.hpp.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/record/flow_record.hpp"

namespace nfstreamd {

// Changes with any member of a record: its name, its type, its place.
std::uint64_t record_format() noexcept;

// Behind what is in `out` already.
void append_records(std::string& out, std::span<const FlowRecord> records);

// Behind what is in the batch already, which then owns their texts. False: the
// octets are not exactly `count` records, and the batch may hold some of them.
[[nodiscard]] bool read_records(std::string_view octets, std::size_t count, RecordBatch& batch);

}  // namespace nfstreamd
