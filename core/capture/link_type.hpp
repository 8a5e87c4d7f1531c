// SPDX-License-Identifier: Apache-2.0
// Names of link types, for logs and the status. Any thread.
#pragma once
#include <string>

namespace nfstreamd {

std::string link_type_name(int link_type);  // "EN10MB"; "DLT_999" when libpcap has no name

}  // namespace nfstreamd
