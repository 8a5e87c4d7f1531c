// SPDX-License-Identifier: Apache-2.0
// Asks a running nfstreamd over its control socket. Blocks as long as its
// patience lasts.
#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace nfstreamd::ctl {

// The JSON that answers `command`. kUnavailable: nobody listens there. `patience`
// is that of each wait.
Result<std::string> ask(const std::string& socket_path, std::string_view command,
                        std::chrono::seconds patience = std::chrono::seconds(10));

// Who listens there: its process id, or 0 when that cannot be known.
int peer_of(const std::string& socket_path);

}  // namespace nfstreamd::ctl
