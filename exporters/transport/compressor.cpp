// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/compressor.hpp"

#include <array>

namespace nfstreamd::exporters {
namespace {

struct Format {
    std::string_view suffix;
    std::unique_ptr<Compressor> (*make)();
};
constexpr std::array kFormats = {Format{".gz", make_gzip_compressor}, Format{".zst", make_zstd_compressor}};

const Format* format_of(std::string_view path) noexcept {
    for (const Format& format : kFormats)
        if (path.ends_with(format.suffix)) return &format;
    return nullptr;
}

}  // namespace

std::unique_ptr<Compressor> make_compressor(std::string_view path) {
    const Format* format = format_of(path);
    return format ? format->make() : nullptr;
}

std::string_view compression_suffix(std::string_view path) noexcept {
    const Format* format = format_of(path);
    return format ? format->suffix : std::string_view();
}

}  // namespace nfstreamd::exporters
