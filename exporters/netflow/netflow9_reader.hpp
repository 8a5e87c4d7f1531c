// SPDX-License-Identifier: Apache-2.0
// NetFlow v9 (RFC 3954) as it is received: templates and options templates are
// learnt, records become the same lines as those of IPFIX. Stateless; what is
// remembered is in the context.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "exporters/ipfix/reader_context.hpp"

namespace nfstreamd::exporters::netflow {

void read_netflow9(ipfix::ReaderContext& context, std::span<const std::uint8_t> packet, std::string_view source);

}  // namespace nfstreamd::exporters::netflow
