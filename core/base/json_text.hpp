// SPDX-License-Identifier: Apache-2.0
// JSON strings (RFC 8259, section 7), for logs, records and status. Bytes that
// are not valid UTF-8 become U+FFFD, so that the output always is.
#pragma once
#include <string>
#include <string_view>

namespace nfstreamd {

void append_json_string(std::string& out, std::string_view text);  // with its quotes

}  // namespace nfstreamd
