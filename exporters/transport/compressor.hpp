// SPDX-License-Identifier: Apache-2.0
// Text to one compressed stream, piece by piece. Belongs to one thread.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace nfstreamd::exporters {

class Compressor {
public:
    enum class Then {
        kFlush,  // a reader of what is out by now gets all of the text
        kEnd,    // the stream is complete; begin() must follow
    };

    virtual ~Compressor() = default;
    virtual Status begin() = 0;  // a new stream; what was in an unfinished one is forgotten
    virtual Status compress(std::string_view text, Then then, std::string& out) = 0;  // appends to `out`
};

std::unique_ptr<Compressor> make_gzip_compressor();  // RFC 1952
std::unique_ptr<Compressor> make_zstd_compressor();  // RFC 8878

// By the suffix of the path: .gz, .zst; null for any other.
std::unique_ptr<Compressor> make_compressor(std::string_view path);
// ".gz", ".zst" or "".
std::string_view compression_suffix(std::string_view path) noexcept;

}  // namespace nfstreamd::exporters
