// SPDX-License-Identifier: Apache-2.0
// NetFlow v5 as it is received: one fixed record, printed as if a template had
// told it, with engine and sampling of the header. Stateless; what is remembered
// is in the context.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "exporters/ipfix/reader_context.hpp"

namespace nfstreamd::exporters::netflow {

void read_netflow5(ipfix::ReaderContext& context, std::span<const std::uint8_t> packet, std::string_view source);

}  // namespace nfstreamd::exporters::netflow
