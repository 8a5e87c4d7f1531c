// SPDX-License-Identifier: Apache-2.0
// What a reader gets out of a gzip file or a zstd frame so far, and whether the
// stream has come to its end.
#pragma once
#include <zlib.h>
#include <zstd.h>

#include <memory>
#include <string>
#include <string_view>

namespace nfstreamd::test {

struct Decompressed {
    std::string text;
    bool complete = false;  // with nothing behind it
    bool sound = true;
};

inline Decompressed gunzip(std::string_view packed) {
    Decompressed result;
    z_stream stream{};
    inflateInit2(&stream, 15 + 16);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    for (int status = Z_OK; status == Z_OK;) {
        char piece[4096];
        stream.next_out = reinterpret_cast<Bytef*>(piece);
        stream.avail_out = sizeof piece;
        status = inflate(&stream, Z_NO_FLUSH);
        result.text.append(piece, sizeof piece - stream.avail_out);
        result.sound = status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR;
        result.complete = status == Z_STREAM_END && stream.avail_in == 0;
    }
    inflateEnd(&stream);
    return result;
}

inline Decompressed unzstd(std::string_view packed) {
    Decompressed result;
    const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
    ZSTD_inBuffer in{packed.data(), packed.size(), 0};
    for (bool more = true; more;) {
        char piece[4096];
        ZSTD_outBuffer out{piece, sizeof piece, 0};
        const std::size_t left = ZSTD_decompressStream(context.get(), &out, &in);
        result.text.append(piece, out.pos);
        result.sound = ZSTD_isError(left) == 0;
        result.complete = left == 0 && in.pos == in.size;
        more = result.sound && left != 0 && (in.pos < in.size || out.pos == sizeof piece);
    }
    return result;
}

inline Decompressed decompressed(const std::string& path, std::string_view packed) {
    return path.ends_with(".gz") ? gunzip(packed) : unzstd(packed);
}

}  // namespace nfstreamd::test
