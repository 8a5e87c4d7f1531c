// SPDX-License-Identifier: Apache-2.0
// The only file that sees zlib.
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "exporters/transport/compressor.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr int kLevel = 4;                 // of 9; twice as fast as zlib's own 6, a sixth larger
constexpr int kWindowBits = 15 + 16;      // the largest window, gzip's header and trailer
constexpr int kMemoryLevel = 8;           // zlib's own
constexpr std::size_t kRoom = 32 * 1024;  // of output for one call

class GzipCompressor final : public Compressor {
public:
    GzipCompressor() = default;
    ~GzipCompressor() override {
        if (ready_) ::deflateEnd(&stream_);
    }
    GzipCompressor(const GzipCompressor&) = delete;
    GzipCompressor& operator=(const GzipCompressor&) = delete;

    Status begin() override {
        const int result =
            ready_ ? ::deflateReset(&stream_)
                   : ::deflateInit2(&stream_, kLevel, Z_DEFLATED, kWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY);
        if (result != Z_OK) return failure();
        ready_ = true;
        return ok();
    }

    Status compress(std::string_view text, Then then, std::string& out) override {
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib only reads it
        stream_.avail_in = static_cast<uInt>(text.size());
        int result = Z_OK;
        do {
            const std::size_t before = out.size();
            out.resize(before + kRoom);
            stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
            stream_.avail_out = kRoom;
            result = ::deflate(&stream_, then == Then::kEnd ? Z_FINISH : Z_SYNC_FLUSH);
            out.resize(out.size() - stream_.avail_out);
            if (result == Z_STREAM_ERROR) return failure();
        } while (stream_.avail_out == 0 || (then == Then::kEnd && result != Z_STREAM_END));
        return ok();
    }

private:
    static Error failure() { return {ErrorCode::kInternal, "gzip: out of memory", ""}; }

    z_stream stream_{};
    bool ready_ = false;
};

}  // namespace

std::unique_ptr<Compressor> make_gzip_compressor() {
    return std::make_unique<GzipCompressor>();
}

}  // namespace nfstreamd::exporters
