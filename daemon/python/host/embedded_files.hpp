// SPDX-License-Identifier: Apache-2.0
// The package for Python and the host's own modules, as embed.cmake writes them
// into the host. Constant.
#pragma once
#include <span>
#include <string_view>

namespace nfstreamd::python {

struct EmbeddedFile {
    const char* name;  // below the package: "plugins/splt.py"
    std::string_view text;
};

std::span<const EmbeddedFile> embedded_files();
const char* bootstrap();  // bootstrap.py

}  // namespace nfstreamd::python
