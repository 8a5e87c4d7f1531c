// SPDX-License-Identifier: Apache-2.0
// The only file that sees libzstd.
#include <zstd.h>

#include "exporters/transport/compressor.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr int kLevel = 3;  // libzstd's own

class ZstdCompressor final : public Compressor {
public:
    Status begin() override {
        if (!context_) context_.reset(::ZSTD_createCCtx());
        if (!context_) return Error{ErrorCode::kInternal, "zstd: out of memory", ""};
        auto* context = context_.get();
        if (Status status = check(::ZSTD_CCtx_reset(context, ZSTD_reset_session_only)); !status) return status;
        if (Status status = check(::ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kLevel)); !status)
            return status;
        return check(::ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1));
    }

    Status compress(std::string_view text, Then then, std::string& out) override {
        const auto directive = then == Then::kEnd ? ZSTD_e_end : ZSTD_e_flush;
        ZSTD_inBuffer in{text.data(), text.size(), 0};
        std::size_t left = 0;
        do {
            const std::size_t before = out.size(), room = ::ZSTD_CStreamOutSize();
            out.resize(before + room);
            ZSTD_outBuffer piece{out.data() + before, room, 0};
            left = ::ZSTD_compressStream2(context_.get(), &piece, &in, directive);
            out.resize(before + piece.pos);
            if (Status status = check(left); !status) return status;
        } while (left != 0);
        return ok();
    }

private:
    struct Free {
        void operator()(ZSTD_CCtx* context) const noexcept { ::ZSTD_freeCCtx(context); }
    };

    static Status check(std::size_t result) {
        if (::ZSTD_isError(result))
            return Error{ErrorCode::kInternal, std::string("zstd: ") + ::ZSTD_getErrorName(result), ""};
        return ok();
    }

    std::unique_ptr<ZSTD_CCtx, Free> context_;
};

}  // namespace

std::unique_ptr<Compressor> make_zstd_compressor() {
    return std::make_unique<ZstdCompressor>();
}

}  // namespace nfstreamd::exporters
