// SPDX-License-Identifier: Apache-2.0
// Asks a running nfstreamd over its control socket. Blocks, for some seconds at
// most.
#pragma once
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace nfstreamd::ctl {

// The JSON that answers `command`. kUnavailable: nobody listens there.
Result<std::string> ask(const std::string& socket_path, std::string_view command);

}  // namespace nfstreamd::ctl
