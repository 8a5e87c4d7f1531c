// SPDX-License-Identifier: Apache-2.0
// The files of the page, which are part of the program. Constant, any thread.
#pragma once
#include <span>
#include <string_view>

namespace nfstreamd::daemon {

struct PageFile {
    std::string_view path;  // "/" is index.html
    const char* content_type;
    std::string_view content;
};

std::span<const PageFile> page_files();

}  // namespace nfstreamd::daemon
