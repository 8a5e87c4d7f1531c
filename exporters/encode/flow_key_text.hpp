// SPDX-License-Identifier: Apache-2.0
// The key of a record among messages: the same for both directions and for all
// records of a flow. Any thread.
#pragma once
#include <cstdint>
#include <string>

#include "core/record/flow_record.hpp"

namespace nfstreamd::exporters {

// "6 192.0.2.1 443 192.0.2.7 40000": the protocol, then both ends, the smaller
// first. Appends.
void append_flow_key(std::string& out, const FlowRecord& record);

// Of the same parts; not meant to resist an attacker.
std::uint64_t flow_key_hash(const FlowRecord& record) noexcept;

}  // namespace nfstreamd::exporters
