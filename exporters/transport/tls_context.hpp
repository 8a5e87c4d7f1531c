// SPDX-License-Identifier: Apache-2.0
// What all TLS or DTLS sessions to one collector have in common: our certificate
// and key, the CAs that are trusted, versions and ciphers. Each side proves who it
// is (RFC 7011, 11.3); nothing turns that off. Belongs to one transport.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "exporters/transport/transport_options.hpp"

struct ssl_ctx_st;

namespace nfstreamd::exporters {

class TlsContext {
public:
    // Reads the files. The error's `where` is the setting, such as "tls.key".
    static Result<std::shared_ptr<TlsContext>> load(const TlsOptions& options, bool datagrams);

    // Reads them again when they have changed, as certificates are renewed. What
    // cannot be used, or not be read any more, leaves things as they were.
    void refresh();

    ssl_ctx_st* native() const noexcept { return context_.get(); }
    const TlsOptions& options() const noexcept { return options_; }
    bool datagrams() const noexcept { return datagrams_; }

private:
    struct Free {
        void operator()(ssl_ctx_st* context) const noexcept;
    };
    using Handle = std::unique_ptr<ssl_ctx_st, Free>;
    using Versions = std::vector<std::int64_t>;  // of the files: when and where they were written

    TlsContext(const TlsOptions& options, bool datagrams) : options_(options), datagrams_(datagrams) {}
    Result<Handle> make() const;
    Versions versions() const;

    const TlsOptions options_;
    const bool datagrams_;
    Handle context_;
    Versions versions_;
};

}  // namespace nfstreamd::exporters
