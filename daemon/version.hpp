// SPDX-License-Identifier: Apache-2.0
// Versions of the program and of the libraries that it runs with.
#pragma once
#include <string>
#include <string_view>

namespace nfstreamd::daemon {

std::string_view version() noexcept;
// What -V prints: `program` and its version, then a line per library.
std::string version_text(std::string_view program);

}  // namespace nfstreamd::daemon
