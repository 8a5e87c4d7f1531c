// SPDX-License-Identifier: Apache-2.0
// Shell completion of both programs, from the tables of options, commands and
// settings. Printed at build time into packaging/completion/. Pure.
#pragma once
#include <string>
#include <string_view>

namespace nfstreamd::daemon {

// `page` is the name of the file, such as "nfstreamd.bash"; "" for any other.
std::string completion(std::string_view page);

}  // namespace nfstreamd::daemon
