// SPDX-License-Identifier: Apache-2.0
// A basicList (RFC 6313) that carries one of nfstream's splt columns, as the reader
// turns it back. Pure; any thread.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace nfstreamd::exporters::ipfix {

// The column that the list's element stands for; empty: none, or the list is cut
// short. `private_enterprise_number` as of ReadTemplate.
std::string_view sequence_column(std::span<const std::uint8_t> list, std::uint32_t private_enterprise_number);

// Appends the array of a list that has a column: directions 0 and 1, sizes, times
// from the packet before. There is no tail of -1: how many packets the meter
// keeps is not on the wire.
void append_sequence(std::string& out, std::span<const std::uint8_t> list, std::string_view column);

}  // namespace nfstreamd::exporters::ipfix
