// SPDX-License-Identifier: Apache-2.0
#include "core/application/kept_texts.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "core/application/ndpi_compat.hpp"
#include "core/base/utf8.hpp"

namespace nfstreamd {
namespace {

enum Text { kServerName, kClientFingerprint, kServerFingerprint, kUserAgent, kContentType, kTexts };
constexpr std::array<std::size_t, kTexts> kLongest{80, 48, 48, 255, 63};  // as nfstream keeps them

enum DetailText {
    kDnsAnswer,
    kHttpMethod,
    kHttpUrl,
    kTlsAlpn,
    kTlsIssuer,
    kTlsSubject,
    kTlsServerNames,
    kTlsCertificateSha1,
    kSshClientVersion,
    kSshServerVersion,
    kDetectedOs,
    kDetailTexts
};
constexpr std::array<std::size_t, kDetailTexts> kLongestDetail{45, 16, 1024, 128, 512, 512, 1024, 40, 48, 48, 128};

using Texts = std::array<std::string_view, kTexts>;
using DetailTexts = std::array<std::string_view, kDetailTexts>;

struct Numbers {
    std::uint64_t risk = 0;
    std::uint32_t tls_not_before = 0, tls_not_after = 0;
    std::uint16_t dns_query_type = 0, http_status = 0, tls_version = 0, tls_cipher = 0;
    std::int16_t dns_reply_code = -1;
    friend bool operator==(const Numbers&, const Numbers&) = default;
};
static_assert(std::is_trivially_copyable_v<Numbers>);

std::string_view bounded(const char* text, std::size_t limit) {
    return text == nullptr ? std::string_view{} : std::string_view(text, strnlen(text, limit));
}

Texts texts_of(const ndpi::Flow& flow, ApplicationFamily family) {
    using enum ApplicationFamily;
    constexpr std::size_t kMost = 4096;
    Texts out{};
    out[kServerName] = bounded(flow.host_server_name, sizeof flow.host_server_name);
    switch (family) {
        case kDhcp:
            out[kClientFingerprint] = bounded(flow.protos.dhcp.fingerprint, sizeof flow.protos.dhcp.fingerprint);
            break;
        case kSsh:
            out[kClientFingerprint] = bounded(flow.protos.ssh.hassh_client, sizeof flow.protos.ssh.hassh_client);
            out[kServerFingerprint] = bounded(flow.protos.ssh.hassh_server, sizeof flow.protos.ssh.hassh_server);
            break;
        case kTls:
            out[kClientFingerprint] = bounded(ndpi::ja3_client(flow), 48);
            out[kServerFingerprint] = bounded(flow.protos.tls_quic.ja3_server, sizeof flow.protos.tls_quic.ja3_server);
            out[kUserAgent] = bounded(flow.http.user_agent, kMost);
            break;
        case kHttp:
            out[kUserAgent] = bounded(flow.http.user_agent, kMost);
            out[kContentType] = bounded(flow.http.content_type, kMost);
            break;
        case kDns:
        case kOther:
            break;
    }
    for (std::size_t i = 0; i < kTexts; ++i) out[i] = out[i].substr(0, kLongest[i]);
    return out;
}

// The details of one flow, as nDPI has them now. The texts point into the flow or here.
class FlowDetails {
public:
    FlowDetails(const ndpi::Flow& flow, ApplicationFamily family) {
        numbers.risk = flow.risk;
        read_http(flow);
        if (ndpi::has_tls(flow)) read_tls(flow);
        if (family == ApplicationFamily::kDns && ndpi::was_inspected(flow)) read_dns(flow);
        if (family == ApplicationFamily::kSsh && ndpi::was_inspected(flow)) {
            const auto& ssh = flow.protos.ssh;
            texts[kSshClientVersion] = bounded(ssh.client_signature, sizeof ssh.client_signature);
            texts[kSshServerVersion] = bounded(ssh.server_signature, sizeof ssh.server_signature);
        }
        for (std::size_t i = 0; i < kDetailTexts; ++i) texts[i] = texts[i].substr(0, kLongestDetail[i]);
    }

    Numbers numbers;
    DetailTexts texts{};

private:
    static constexpr std::size_t kMost = 8192;

    void read_http(const ndpi::Flow& flow) {
        if (flow.http.method != NDPI_HTTP_METHOD_UNKNOWN) texts[kHttpMethod] = ndpi_http_method2str(flow.http.method);
        url_ = without_secrets(bounded(flow.http.url, kMost));
        texts[kHttpUrl] = url_;
        texts[kDetectedOs] = bounded(flow.http.detected_os, kMost);
        numbers.http_status = flow.http.response_status_code;
    }

    void read_tls(const ndpi::Flow& flow) {
        const auto& tls = flow.protos.tls_quic;
        texts[kTlsAlpn] = bounded(ndpi::offered_alpn(flow), kMost);
        texts[kTlsIssuer] = bounded(tls.issuerDN, kMost);
        texts[kTlsSubject] = bounded(tls.subjectDN, kMost);
        texts[kTlsServerNames] = bounded(tls.server_names, kMost);
        if (ndpi::has_certificate_sha1(flow)) {
            constexpr char kDigits[] = "0123456789abcdef";
            for (const std::uint8_t byte : tls.sha1_certificate_fingerprint) {
                sha1_ += kDigits[byte >> 4];
                sha1_ += kDigits[byte & 15];
            }
            texts[kTlsCertificateSha1] = sha1_;
        }
        numbers.tls_not_before = tls.notBefore;
        numbers.tls_not_after = tls.notAfter;
        numbers.tls_version = tls.ssl_version;
        numbers.tls_cipher = tls.server_cipher;
    }

    void read_dns(const ndpi::Flow& flow) {
        const auto& dns = flow.protos.dns;
        numbers.dns_query_type = dns.query_type;
        if (dns.num_queries == 0 && dns.num_answers == 0) return;  // a response sets them
        numbers.dns_reply_code = dns.reply_code;
        append_text(address_, ndpi::dns_address(flow));
        texts[kDnsAnswer] = address_;
    }

    std::string url_, sha1_, address_;
};

std::size_t total(const auto& texts) {
    std::size_t sum = 0;
    for (const std::string_view text : texts) sum += text.size();
    return sum;
}

// Fills the block from front to back.
class Writer {
public:
    explicit Writer(char* block) : at_(block) {}

    void put(const auto& value) {
        std::memcpy(at_, &value, sizeof value);
        at_ += sizeof value;
    }
    // Lengths of the type Length, then the valid UTF-8 of the texts.
    template <class Length>
    void put_texts(const auto& texts) {
        char* lengths = at_;
        at_ += sizeof(Length) * texts.size();
        for (const std::string_view text : texts) {
            const auto length = static_cast<Length>(copy_valid_utf8(text, at_));
            std::memcpy(lengths, &length, sizeof length);
            lengths += sizeof length;
            at_ += length;
        }
    }

private:
    char* at_;
};

class Reader {
public:
    explicit Reader(const char* block) : at_(block) {}

    template <class T>
    T get() {
        T value;
        std::memcpy(&value, at_, sizeof value);
        at_ += sizeof value;
        return value;
    }
    template <class Length, class Array>
    Array get_texts() {
        Array texts{};
        std::array<Length, std::tuple_size_v<Array>> lengths;
        for (Length& length : lengths) length = get<Length>();
        for (std::size_t i = 0; i < texts.size(); ++i) {
            texts[i] = {at_, lengths[i]};
            at_ += lengths[i];
        }
        return texts;
    }

private:
    const char* at_;
};

using ShortLength = std::uint8_t;
using LongLength = std::uint16_t;

std::string risk_names(std::uint64_t risk) {
    std::string out;
    for (unsigned bit = 1; bit < NDPI_MAX_RISK; ++bit) {
        if ((risk >> bit & 1) == 0) continue;
        if (!out.empty()) out += "; ";
        out += ndpi_risk2str(static_cast<ndpi_risk_enum>(bit));
    }
    return out;
}

ApplicationDetails* make_details(const Numbers& numbers, const DetailTexts& texts, Arena& arena,
                                 const ApplicationRecord& record) {
    auto* out = arena.make<ApplicationDetails>();
    const auto copy = [&](DetailText text) { return arena.copy(texts[text]); };
    out->dns_answer = copy(kDnsAnswer);
    out->dns_query_type = numbers.dns_query_type;
    out->dns_reply_code = numbers.dns_reply_code;
    out->http_method = copy(kHttpMethod);
    out->http_url = copy(kHttpUrl);
    out->http_status = numbers.http_status;
    out->tls_alpn = copy(kTlsAlpn);
    out->tls_issuer = copy(kTlsIssuer);
    out->tls_subject = copy(kTlsSubject);
    out->tls_server_names = copy(kTlsServerNames);
    out->tls_certificate_sha1 = copy(kTlsCertificateSha1);
    out->tls_not_before = numbers.tls_not_before;
    out->tls_not_after = numbers.tls_not_after;
    out->tls_version = numbers.tls_version;
    out->tls_cipher = numbers.tls_cipher;
    out->ssh_client_version = copy(kSshClientVersion);
    out->ssh_server_version = copy(kSshServerVersion);
    out->detected_os = copy(kDetectedOs);
    if (record.family == ApplicationFamily::kTls) {
        out->ja3_client = record.client_fingerprint;
        out->ja3_server = record.server_fingerprint;
    } else if (record.family == ApplicationFamily::kSsh) {
        out->hassh_client = record.client_fingerprint;
        out->hassh_server = record.server_fingerprint;
    }
    if (numbers.risk != 0) {
        out->risk = numbers.risk;
        out->risk_score = ndpi::risk_score(numbers.risk);
        out->risk_names = arena.copy(risk_names(numbers.risk));
    }
    return out;
}

}  // namespace

char* keep_texts(const ndpi_flow_struct& flow, ApplicationFamily family, bool details) {
    const Texts texts = texts_of(flow, family);
    if (!details) {
        const std::size_t octets = total(texts);
        if (octets == 0) return nullptr;
        auto* block = static_cast<char*>(std::malloc(kTexts * sizeof(ShortLength) + octets));
        if (block != nullptr) Writer(block).put_texts<ShortLength>(texts);
        return block;
    }
    const FlowDetails more(flow, family);
    const std::size_t octets = total(texts) + total(more.texts);
    if (octets == 0 && more.numbers == Numbers{}) return nullptr;
    auto* block = static_cast<char*>(
        std::malloc(kTexts * sizeof(ShortLength) + sizeof(Numbers) + kDetailTexts * sizeof(LongLength) + octets));
    if (block == nullptr) return nullptr;
    Writer writer(block);
    writer.put_texts<ShortLength>(texts);
    writer.put(more.numbers);
    writer.put_texts<LongLength>(more.texts);
    return block;
}

void restore_texts(const char* block, bool details, Arena& arena, ApplicationRecord& record) {
    Texts texts{};
    Numbers numbers;
    DetailTexts detail_texts{};
    if (block != nullptr) {
        Reader reader(block);
        texts = reader.get_texts<ShortLength, Texts>();
        if (details) {
            numbers = reader.get<Numbers>();
            detail_texts = reader.get_texts<LongLength, DetailTexts>();
        }
    }
    record.requested_server_name = arena.copy(texts[kServerName]);
    record.client_fingerprint = arena.copy(texts[kClientFingerprint]);
    record.server_fingerprint = arena.copy(texts[kServerFingerprint]);
    record.user_agent = arena.copy(texts[kUserAgent]);
    record.content_type = arena.copy(texts[kContentType]);
    if (details) record.details = make_details(numbers, detail_texts, arena, record);
}

std::string without_secrets(std::string_view url) {
    std::string out;
    const auto slash = url.find_first_of("/?#");
    const bool has_scheme = slash != std::string_view::npos && slash > 0 && url.substr(slash - 1).starts_with("://");
    const std::size_t authority = has_scheme ? slash + 2 : 0;
    out += url.substr(0, authority);
    url.remove_prefix(authority);
    const auto at = url.substr(0, url.find_first_of("/?#")).rfind('@');
    if (at != std::string_view::npos) url.remove_prefix(at + 1);

    const auto query = url.find('?');
    if (query == std::string_view::npos) return out.append(url);
    out += url.substr(0, query + 1);
    url.remove_prefix(query + 1);
    while (!url.empty()) {
        const std::string_view parameter = url.substr(0, std::min(url.find_first_of("&;"), url.size()));
        const auto equals = parameter.find('=');
        std::string name(parameter.substr(0, equals));
        for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        const bool secret = name.find("pass") != std::string::npos || name.find("pwd") != std::string::npos;
        out += secret && equals != std::string_view::npos ? parameter.substr(0, equals + 1) : parameter;
        url.remove_prefix(parameter.size());
        if (url.empty()) break;
        out += url.front();
        url.remove_prefix(1);
    }
    return out;
}

}  // namespace nfstreamd
