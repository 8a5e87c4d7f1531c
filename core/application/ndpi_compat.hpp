// SPDX-License-Identifier: Apache-2.0
// What changed in libndpi's interface between 4.2 and 5.x, in one place. Only
// ndpi_dissector.cpp includes this file; it is written against these functions.
#pragma once
extern "C" {
#include <ndpi_api.h>
#include <ndpi_main.h>
#include <ndpi_typedefs.h>
}

#include <cstdint>
#include <string>

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

// A module with all protocols on, or null.
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
    ndpi_finalize_initialization(module);
    return module;
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

}  // namespace nfstreamd::ndpi
