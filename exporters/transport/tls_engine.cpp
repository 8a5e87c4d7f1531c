// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/tls_engine.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace nfstreamd::exporters {
namespace {

// Alerts that tell of our certificate (RFC 8446, 6.2).
bool is_refusal(int alert) {
    constexpr int kRefusals[] = {SSL_AD_HANDSHAKE_FAILURE,   SSL_AD_BAD_CERTIFICATE,     SSL_AD_UNSUPPORTED_CERTIFICATE,
                                 SSL_AD_CERTIFICATE_REVOKED, SSL_AD_CERTIFICATE_EXPIRED, SSL_AD_CERTIFICATE_UNKNOWN,
                                 SSL_AD_UNKNOWN_CA,          SSL_AD_ACCESS_DENIED,       SSL_AD_DECRYPT_ERROR,
                                 SSL_AD_CERTIFICATE_REQUIRED};
    return std::find(std::begin(kRefusals), std::end(kRefusals), alert) != std::end(kRefusals);
}

bool is_address(const std::string& name) {
    in6_addr ignored{};
    return inet_pton(AF_INET, name.c_str(), &ignored) == 1 || inet_pton(AF_INET6, name.c_str(), &ignored) == 1;
}

}  // namespace

// What the library calls: reading and writing without a socket, and what the peer
// tells.
struct TlsEngine::Hooks {
    static int write(BIO* bio, const char* octets, int length) {
        auto& engine = *static_cast<TlsEngine*>(BIO_get_data(bio));
        engine.output_.octets.insert(engine.output_.octets.end(), octets, octets + length);
        engine.output_.ends.push_back(engine.output_.octets.size());
        return length;
    }
    static int read(BIO* bio, char* octets, int length) {
        auto& engine = *static_cast<TlsEngine*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        if (engine.input_.empty()) {
            BIO_set_retry_read(bio);
            return -1;
        }
        const std::size_t n = std::min(engine.input_.size(), static_cast<std::size_t>(length));
        std::memcpy(octets, engine.input_.data(), n);
        // of a datagram there is no second part
        engine.input_ = engine.input_.subspan(engine.datagrams_ ? engine.input_.size() : n);
        return static_cast<int>(n);
    }
    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

    static void info(const SSL* ssl, int where, int value) {
        if ((where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT || (value >> 8) != SSL3_AL_FATAL) return;
        static_cast<TlsEngine*>(SSL_get_app_data(ssl))->alert_ = value & 0xff;
    }
    static void message(int written, int, int type, const void*, std::size_t, SSL*, void* engine) {
        auto& self = *static_cast<TlsEngine*>(engine);
        if (written == 0 && self.established_ && type == SSL3_RT_HANDSHAKE) self.accepted_ = true;
    }

    static const BIO_METHOD* method() {
        static const std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> kMethod = [] {
            BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "octets");
            BIO_meth_set_write(made, &write);
            BIO_meth_set_read(made, &read);
            BIO_meth_set_ctrl(made, &control);
            return std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)>(made, &BIO_meth_free);
        }();
        return kMethod.get();
    }
};

TlsEngine::TlsEngine(const TlsContext& context, const std::string& host, std::string description)
    : description_(std::move(description)),
      name_(context.options().server_name.empty() ? host : context.options().server_name),
      datagrams_(context.datagrams()) {
    ssl_ = SSL_new(context.native());
    BIO* bio = BIO_new(Hooks::method());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_, bio, bio);
    SSL_set_app_data(ssl_, this);
    SSL_set_info_callback(ssl_, &Hooks::info);
    SSL_set_msg_callback(ssl_, &Hooks::message);
    SSL_set_msg_callback_arg(ssl_, this);
    X509_VERIFY_PARAM* expected = SSL_get0_param(ssl_);
    X509_VERIFY_PARAM_set_hostflags(expected,
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    bool named = false;
    if (is_address(name_)) {
        named = X509_VERIFY_PARAM_set1_ip_asc(expected, name_.c_str()) == 1;
    } else {
        named = !name_.empty() && X509_VERIFY_PARAM_set1_host(expected, name_.c_str(), name_.size()) == 1;
        SSL_set_tlsext_host_name(ssl_, name_.c_str());
    }
    if (!named) error_ = Error{ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no name of a host", name_), ""};
    SSL_set_connect_state(ssl_);
}

TlsEngine::~TlsEngine() {
    SSL_free(ssl_);
}

Status TlsEngine::handshake() {
    if (error_) return *error_;
    if (established_) return ok();
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_);
    if (Status status = outcome(result); !status) return status;
    // the library has ended it before; never go on
    if (SSL_get_verify_result(ssl_) != X509_V_OK || SSL_get0_peer_certificate(ssl_) == nullptr) return ended(0);
    established_ = true;
    accepted_ = SSL_version(ssl_) != TLS1_3_VERSION;
    return ok();
}

Status TlsEngine::receive(std::span<const std::uint8_t> octets) {
    if (error_) return *error_;
    rest_.insert(rest_.end(), octets.begin(), octets.end());
    input_ = rest_;
    Status status = handshake();
    while (status) {
        std::array<char, 4096> said;  // a collector has nothing to say; thrown away
        ERR_clear_error();
        const int result = SSL_read(ssl_, said.data(), static_cast<int>(said.size()));
        if (result > 0)
            accepted_ = true;
        else
            status = outcome(result);
    }
    rest_.assign(input_.begin(), input_.end());
    input_ = {};
    return status.error().code == ErrorCode::kBusy ? ok() : status;
}

Status TlsEngine::encrypt(std::span<const std::uint8_t> message) {
    if (error_) return *error_;
    ERR_clear_error();
    return outcome(SSL_write(ssl_, message.data(), static_cast<int>(message.size())));
}

void TlsEngine::end() {
    if (established_ && !error_) SSL_shutdown(ssl_);
}

// Its memory is used again.
void TlsEngine::take_output(Output& output) {
    output.octets.clear();
    output.ends.clear();
    std::swap(output, output_);
}

void TlsEngine::set_datagram_limit(std::size_t octets) {
    SSL_set_mtu(ssl_, static_cast<long>(octets));
}

std::size_t TlsEngine::message_limit() const noexcept {
    return DTLS_get_data_mtu(ssl_);
}

std::optional<std::chrono::milliseconds> TlsEngine::timeout() const noexcept {
    timeval left{};
    if (DTLSv1_get_timeout(ssl_, &left) != 1) return std::nullopt;
    return std::chrono::milliseconds(left.tv_sec * 1000 + (left.tv_usec + 999) / 1000);
}

Status TlsEngine::on_timeout() {
    if (error_) return *error_;
    ERR_clear_error();
    return DTLSv1_handle_timeout(ssl_) < 0 ? outcome(-1) : ok();
}

// Of a call of the library.
Status TlsEngine::outcome(int result) {
    if (result > 0) return ok();
    const int code = SSL_get_error(ssl_, result);
    if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE)
        return Error{ErrorCode::kBusy, description_ + ": the handshake is under way", ""};
    return ended(code);
}

Error TlsEngine::ended(int code) {
    const unsigned long last = ERR_peek_last_error();
    const char* reason = last == 0 ? nullptr : ERR_reason_error_string(last);
    ERR_clear_error();
    const long verified = SSL_get_verify_result(ssl_);
    const auto say = [&](ErrorCode kind, std::string text) {
        error_ = Error{kind, std::move(text), ""};
        return *error_;
    };
    if (verified != X509_V_OK)
        return say(ErrorCode::kPermission,
                   fmt::format("the certificate of {} is refused: {}; tls.ca must vouch for it and it must be for {}",
                               description_, X509_verify_cert_error_string(verified), name_));
    if (alert_ >= 0 && is_refusal(alert_))
        return say(ErrorCode::kPermission, fmt::format("{} refuses our certificate (tls.certificate) or ciphers: {}",
                                                       description_, SSL_alert_desc_string_long(alert_)));
    if (alert_ >= 0)
        return say(ErrorCode::kUnavailable,
                   fmt::format("{} ended the session: {}", description_, SSL_alert_desc_string_long(alert_)));
    if (code == SSL_ERROR_ZERO_RETURN) return say(ErrorCode::kUnavailable, description_ + " closed the session");
    return say(ErrorCode::kUnavailable, fmt::format("{}: no {} session: {}", description_, datagrams_ ? "DTLS" : "TLS",
                                                    reason == nullptr ? "the peer does not speak it" : reason));
}

}  // namespace nfstreamd::exporters
