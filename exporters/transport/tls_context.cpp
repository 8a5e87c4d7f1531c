// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/tls_context.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace nfstreamd::exporters {
namespace {

struct File {
    std::string_view setting, what;
    std::string TlsOptions::*path;
};
constexpr File kCa{"tls.ca", "the CA certificates by which the collector's is verified", &TlsOptions::ca};
constexpr File kCertificate{"tls.certificate", "the certificate that is shown to the collector",
                            &TlsOptions::certificate};
constexpr File kKey{"tls.key", "the private key of tls.certificate", &TlsOptions::key};
constexpr std::array kFiles{kCa, kCertificate, kKey};

Error fault(const File& file, std::string message) {
    return {ErrorCode::kInvalidArgument, std::move(message), std::string(file.setting)};
}

std::string reason() {
    const unsigned long code = ERR_peek_error();  // the first says most
    ERR_clear_error();
    const char* text = code == 0 ? nullptr : ERR_reason_error_string(code);
    return text == nullptr ? "not understood" : text;
}

Status check_readable(const File& file, const std::string& path) {
    if (path.empty())
        return fault(file, fmt::format("is missing: a PEM file with {}; tls:// and dtls:// need it", file.what));
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return Error{errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kPermission,
                     fmt::format("cannot read {}: {}", path, std::system_category().message(errno)),
                     std::string(file.setting)};
    struct stat info {};
    const bool regular = ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
    ::close(descriptor);
    if (!regular) return fault(file, fmt::format("{} is not a file", path));
    return ok();
}

// A terminal must never be asked for it.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const noexcept {
    SSL_CTX_free(context);
}

Result<std::shared_ptr<TlsContext>> TlsContext::load(const TlsOptions& options, bool datagrams) {
    std::shared_ptr<TlsContext> loaded(new TlsContext(options, datagrams));
    loaded->versions_ = loaded->versions();
    auto context = loaded->make();
    if (!context) return context.error();
    loaded->context_ = std::move(context.value());
    return loaded;
}

void TlsContext::refresh() {
    const Versions now = versions();
    if (now == versions_) return;
    auto context = make();
    if (!context) return;
    context_ = std::move(context.value());
    versions_ = now;
}

TlsContext::Versions TlsContext::versions() const {
    Versions found;
    for (const File& file : kFiles) {
        struct stat info {};
        if (::stat((options_.*file.path).c_str(), &info) != 0) continue;
        found.insert(found.end(),
                     {static_cast<std::int64_t>(info.st_ino), info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec});
    }
    return found;
}

Result<TlsContext::Handle> TlsContext::make() const {
    for (const File& file : kFiles)
        if (Status status = check_readable(file, options_.*file.path); !status) return status.error();
    ERR_clear_error();
    Handle handle(SSL_CTX_new(datagrams_ ? DTLS_client_method() : TLS_client_method()));
    SSL_CTX* context = handle.get();
    if (context == nullptr) return Error{ErrorCode::kInternal, "TLS: " + reason(), ""};
    // RFC 7011 names older ones, RFC 8996 took them back
    SSL_CTX_set_min_proto_version(context, datagrams_ ? DTLS1_2_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // each session verifies anew
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_default_passwd_cb(context, &no_passphrase);

    const std::string& wanted = options_.ciphers;
    const std::string ciphers = (wanted.empty() ? "DEFAULT" : wanted) + ":!aNULL:!eNULL";
    if (SSL_CTX_set_cipher_list(context, ciphers.c_str()) != 1)
        return Error{ErrorCode::kInvalidArgument, fmt::format("\"{}\": {}", wanted, reason()), "tls.ciphers"};
    if (SSL_CTX_load_verify_file(context, options_.ca.c_str()) != 1)
        return fault(kCa, fmt::format("no PEM certificates in {}: {}", options_.ca, reason()));
    if (SSL_CTX_use_certificate_chain_file(context, options_.certificate.c_str()) != 1)
        return fault(kCertificate, fmt::format("no usable PEM certificate in {}: {}", options_.certificate, reason()));
    if (SSL_CTX_use_PrivateKey_file(context, options_.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        const int code = ERR_GET_REASON(ERR_peek_error());
        if (code == X509_R_KEY_VALUES_MISMATCH || code == X509_R_KEY_TYPE_MISMATCH)
            return fault(kKey, fmt::format("{} is not the key of the certificate in {}: {}", options_.key,
                                           options_.certificate, reason()));
        return fault(kKey, fmt::format("no usable PEM key without passphrase in {}: {}", options_.key, reason()));
    }
    if (SSL_CTX_check_private_key(context) != 1)
        return fault(kKey, fmt::format("{} is not the key of the certificate in {}: {}", options_.key,
                                       options_.certificate, reason()));
    return handle;
}

}  // namespace nfstreamd::exporters
