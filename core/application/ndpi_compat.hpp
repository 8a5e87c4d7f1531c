// SPDX-License-Identifier: Apache-2.0
// What changed in libndpi's interface between 4.2 and 5.x, in one place. Only
// the .cpp files of this folder include it; they are written against these functions.
#pragma once
extern "C" {
#include <ndpi_api.h>
#include <ndpi_main.h>
#include <ndpi_typedefs.h>
}

#include <cstdint>
#include <cstring>
#include <string>

#include "core/base/ip_address.hpp"

#define NFSTREAMD_NDPI_VERSION (NDPI_MAJOR * 100 + NDPI_MINOR)

namespace nfstreamd::ndpi {

using Module = ndpi_detection_module_struct;
using Flow = ndpi_flow_struct;

struct Verdict {
    std::uint16_t master = 0, app = 0, category = 0;
    bool more = false;  // 5.0 and later: extra dissection is possible
};

inline Verdict verdict(const ndpi_protocol& protocol) {
    Verdict out;
#if NFSTREAMD_NDPI_VERSION >= 411
    out.master = protocol.proto.master_protocol;
    out.app = protocol.proto.app_protocol;
#else
    out.master = protocol.master_protocol;
    out.app = protocol.app_protocol;
#endif
    out.category = static_cast<std::uint16_t>(protocol.category);
#if NFSTREAMD_NDPI_VERSION >= 500
    out.more = protocol.state == NDPI_STATE_PARTIAL || protocol.state == NDPI_STATE_MONITORING;
#endif
    return out;
}

inline ndpi_protocol protocol_of(const Verdict& verdict) {
    ndpi_protocol out{};
#if NFSTREAMD_NDPI_VERSION >= 411
    out.proto.master_protocol = verdict.master;
    out.proto.app_protocol = verdict.app;
#else
    out.master_protocol = verdict.master;
    out.app_protocol = verdict.app;
#endif
    out.category = static_cast<ndpi_protocol_category_t>(verdict.category);
    return out;
}

// A module with all protocols on, not yet finalized, or null.
inline Module* new_module() {
#if NFSTREAMD_NDPI_VERSION >= 410
    Module* module = ndpi_init_detection_module(nullptr);
#else
    Module* module = ndpi_init_detection_module(ndpi_no_prefs);
#endif
    if (module == nullptr) return nullptr;
#if NFSTREAMD_NDPI_VERSION < 500
    NDPI_PROTOCOL_BITMASK all;
    NDPI_BITMASK_SET_ALL(all);
    ndpi_set_protocol_detection_bitmask2(module, &all);
#endif
    return module;
}

// Of the operator's own; the library has room for so many.
constexpr std::size_t kMostOwnProtocols = NDPI_MAX_NUM_CUSTOM_PROTOCOLS - 1;

inline bool knows_protocol(Module* module, const std::string& name) {
    return ndpi_get_proto_by_name(module, name.c_str()) != NDPI_PROTOCOL_UNKNOWN;
}

inline bool load_protocols(Module* module, const char* path) {
    return ndpi_load_protocols_file(module, path) >= 0;
}

inline bool load_categories(Module* module, const char* path) {
#if NFSTREAMD_NDPI_VERSION >= 404
    return ndpi_load_categories_file(module, path, nullptr) >= 0;
#else
    return ndpi_load_categories_file(module, path) >= 0;
#endif
}

inline Verdict process(Module* module, Flow* flow, const std::uint8_t* ip, std::uint16_t length,
                       std::uint64_t time_ms) {
#if NFSTREAMD_NDPI_VERSION >= 405
    return verdict(ndpi_detection_process_packet(module, flow, ip, length, time_ms, nullptr));
#else
    return verdict(ndpi_detection_process_packet(module, flow, ip, length, time_ms));
#endif
}

inline Verdict give_up(Module* module, Flow* flow, bool& guessed) {
    std::uint8_t was_guessed = 0;
#if NFSTREAMD_NDPI_VERSION >= 500
    const Verdict out = verdict(ndpi_detection_giveup(module, flow));
    was_guessed = flow->protocol_was_guessed;
#elif NFSTREAMD_NDPI_VERSION >= 410
    const Verdict out = verdict(ndpi_detection_giveup(module, flow, &was_guessed));
#else
    const Verdict out = verdict(ndpi_detection_giveup(module, flow, 1, &was_guessed));
#endif
    guessed = was_guessed != 0;
    return out;
}

inline bool extra_dissection_possible([[maybe_unused]] Module* module, [[maybe_unused]] Flow* flow,
                                      [[maybe_unused]] const Verdict& verdict) {
#if NFSTREAMD_NDPI_VERSION >= 500
    return verdict.more || flow->extra_packets_func != nullptr;
#else
    return ndpi_extra_dissection_possible(module, flow) != 0;
#endif
}

inline void append_name(Module* module, const Verdict& verdict, std::string& out) {
    char text[64] = "";
#if NFSTREAMD_NDPI_VERSION >= 500
    ndpi_protocol2name(module, protocol_of(verdict).proto, text, sizeof text);
#else
    ndpi_protocol2name(module, protocol_of(verdict), text, sizeof text);
#endif
    out += text;
}

inline std::uint16_t category_of(Module* module, std::uint16_t protocol) {
    return static_cast<std::uint16_t>(ndpi_get_proto_category(module, protocol_of({0, protocol})));
}

inline const char* breed_name(Module* module, std::uint16_t protocol) {
#if NFSTREAMD_NDPI_VERSION >= 500
    return ndpi_get_proto_breed_name(ndpi_get_proto_breed(module, protocol));
#else
    return ndpi_get_proto_breed_name(module, ndpi_get_proto_breed(module, protocol));
#endif
}

// Members that moved, or were renamed, are looked for by name: the first that is there.
template <class F>
const char* offered_alpn(const F& flow) {
    if constexpr (requires { flow.protos.tls_quic.advertised_alpns; })
        return flow.protos.tls_quic.advertised_alpns;
    else
        return flow.protos.tls_quic.alpn;
}

template <class F>
bool has_certificate_sha1(const F& flow) {
    if constexpr (requires { flow.protos.tls_quic.fingerprint_set; }) {
        return flow.protos.tls_quic.fingerprint_set;
    } else {
        constexpr std::uint8_t kTcp = 6;
        return flow.l4_proto == kTcp && flow.l4.tcp.tls.fingerprint_set;
    }
}

// Address of the first answer that has one; version 0: none.
template <class F>
IpAddress dns_address(const F& flow) {
    const auto& dns = flow.protos.dns;
    IpAddress out;
    if constexpr (requires { dns.num_rsp_addr; }) {
        if (dns.num_rsp_addr == 0) return out;
        out.version = dns.is_rsp_addr_ipv6[0] ? 6 : 4;
        std::memcpy(out.bytes.data(), &dns.rsp_addr[0], out.version == 6 ? 16 : 4);
    } else {
        constexpr std::uint16_t kA = 1, kAaaa = 28;
        if (dns.num_answers == 0 || (dns.rsp_type != kA && dns.rsp_type != kAaaa)) return out;
        out.version = dns.rsp_type == kAaaa ? 6 : 4;
        std::memcpy(out.bytes.data(), &dns.rsp_addr, out.version == 6 ? 16 : 4);
    }
    return out;
}

// Part of the state is a union. Its TLS member is in use when the library would
// free it as such, the others when the protocol was seen, not guessed.
inline bool has_tls(const Flow& flow) {
    for (const std::uint16_t id : flow.detected_protocol_stack)
        for (const int tls : {NDPI_PROTOCOL_TLS, NDPI_PROTOCOL_DTLS, NDPI_PROTOCOL_QUIC, NDPI_PROTOCOL_MAIL_SMTPS,
                              NDPI_PROTOCOL_MAIL_POPS, NDPI_PROTOCOL_MAIL_IMAPS})
            if (id == tls) return true;
    return false;
}

inline const char* ja3_client(const Flow& flow) {
#if NFSTREAMD_NDPI_VERSION >= 411
    return flow.protos.tls_quic.ja4_client;  // JA3 of clients is gone
#else
    return flow.protos.tls_quic.ja3_client;
#endif
}

// nfstream 6.5.4's numbers, by name.
inline std::uint8_t confidence(const Flow& flow) {
    const auto value = static_cast<std::uint8_t>(flow.confidence);
#if NFSTREAMD_NDPI_VERSION < 404
    constexpr std::uint8_t kCache = 3, kInspection = 4;
    if (value == kCache) return 5;
    if (value == kInspection) return 6;
#endif
    return value;
}

inline bool was_inspected(const Flow& flow) {
    constexpr std::uint8_t kInspection = 6, kAddress = 7;
    const std::uint8_t value = confidence(flow);
    return value >= kInspection && value != kAddress;
}

inline std::uint16_t risk_score(std::uint64_t risk) {
    std::uint16_t client = 0, server = 0;
    return ndpi_risk2score(risk, &client, &server);
}

}  // namespace nfstreamd::ndpi
