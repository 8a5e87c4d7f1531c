// SPDX-License-Identifier: Apache-2.0
#if defined(__has_include)
#if __has_include(<ndpi_config.h>)
#define NDPI_LIB_COMPILATION  // the module's members, which are the library's own matter
#endif
#endif
#include "core/application/ndpi_dispatch.hpp"

#include <dlfcn.h>

#include <bit>

#include "core/application/ndpi_compat.hpp"

#if NFSTREAMD_NDPI_VERSION == 402 && defined(NDPI_LIB_COMPILATION) && !defined(NFSTREAMD_NDPI_STATIC)
#define NFSTREAMD_NDPI_DISPATCH
#endif

namespace nfstreamd {

thread_local const NdpiDispatch* NdpiDispatch::current_ = nullptr;

#if defined(NFSTREAMD_NDPI_DISPATCH)

namespace {

using Callback = ndpi_call_function_struct;

constexpr unsigned kBitsPerWord = 32;

bool share_one(const NDPI_PROTOCOL_BITMASK& a, const NDPI_PROTOCOL_BITMASK& b) {
    std::uint32_t common = 0;
    for (std::size_t i = 0; i < std::size(a.fds_bits); ++i) common |= a.fds_bits[i] & b.fds_bits[i];
    return common != 0;
}

bool holds(const NDPI_PROTOCOL_BITMASK& set, std::uint16_t protocol) {
    const unsigned place = protocol & NDPI_NUM_BITS_MASK;
    return (set.fds_bits[place / kBitsPerWord] >> place % kBitsPerWord & 1) != 0;
}

bool is_wanted(const Callback& callback, const ndpi_flow_struct& flow, std::uint32_t packet, std::uint16_t detected) {
    return (callback.ndpi_selection_bitmask & packet) == callback.ndpi_selection_bitmask &&
           !share_one(flow.excluded_protocol_bitmask, callback.excluded_protocol_bitmask) &&
           holds(callback.detection_bitmask, detected);
}

using CheckFlow = std::uint32_t (*)(ndpi_detection_module_struct*, ndpi_flow_struct*, std::uint32_t*);
CheckFlow library_function() {
    static const auto function = reinterpret_cast<CheckFlow>(dlsym(RTLD_NEXT, "ndpi_check_flow_func"));
    return function;
}

}  // namespace

std::unique_ptr<const NdpiDispatch> NdpiDispatch::create(const ndpi_detection_module_struct* module) {
    if (ndpi_get_ndpi_detection_module_size() != sizeof(ndpi_detection_module_struct)) return nullptr;
    std::unique_ptr<NdpiDispatch> out(new NdpiDispatch(module));
    const bool planned =
        out->plan(kTcpWithout, module->callback_buffer_tcp_no_payload, module->callback_buffer_size_tcp_no_payload) &&
        out->plan(kTcp, module->callback_buffer_tcp_payload, module->callback_buffer_size_tcp_payload) &&
        out->plan(kUdp, module->callback_buffer_udp, module->callback_buffer_size_udp) &&
        out->plan(kOther, module->callback_buffer_non_tcp_udp, module->callback_buffer_size_non_tcp_udp);
    return planned ? std::move(out) : nullptr;
}

// Those that see flows of which nothing is known. Each leaves such a flow alone
// by one protocol, as far as is known; otherwise there is no plan.
bool NdpiDispatch::plan(Kind kind, const void* callbacks, std::uint32_t count) {
    const auto* callback = static_cast<const Callback*>(callbacks);
    for (const Callback* end = callback + count; callback != end; ++callback) {
        if (!holds(callback->detection_bitmask, NDPI_PROTOCOL_UNKNOWN)) continue;
        const auto& words = callback->excluded_protocol_bitmask.fds_bits;
        unsigned bits = 0;
        Step step{callback->func, callback->ndpi_selection_bitmask, 0, 0};
        for (std::size_t i = 0; i < std::size(words); ++i) {
            if (words[i] == 0) continue;
            bits += static_cast<unsigned>(std::popcount(words[i]));
            step.word = static_cast<std::uint16_t>(i);
            step.bit = static_cast<std::uint16_t>(std::countr_zero(words[i]));
        }
        if (bits != 1) return false;
        steps_[kind].push_back(step);
    }
    return true;
}

NdpiDispatch::Kind NdpiDispatch::kind_of(const ndpi_detection_module_struct& module) noexcept {
    if (module.packet.tcp != nullptr) return module.packet.payload_packet_len != 0 ? kTcp : kTcpWithout;
    return module.packet.udp != nullptr ? kUdp : kOther;
}

// Dissectors change the flow: what one of them excludes is not asked after it.
std::uint32_t NdpiDispatch::run(ndpi_detection_module_struct& module, ndpi_flow_struct& flow,
                                std::uint32_t packet) const {
    const Kind kind = kind_of(module);
    const bool bare = kind == kTcpWithout;
    std::uint32_t calls = bare ? 1 : 0;
    Dissector done = nullptr;

    // first the one that the ports suggest
    const auto& guess = module.proto_defaults[flow.guessed_protocol_id];
    if (guess.protoId != NDPI_PROTOCOL_UNKNOWN && guess.func != nullptr &&
        flow.guessed_protocol_id != NDPI_PROTOCOL_UNKNOWN &&
        is_wanted(module.callback_buffer[guess.protoIdx], flow, packet, NDPI_PROTOCOL_UNKNOWN)) {
        const auto needs = module.callback_buffer[flow.guessed_protocol_id].ndpi_selection_bitmask;
        if (!bare || (needs & NDPI_SELECTION_BITMASK_PROTOCOL_HAS_PAYLOAD) == 0) {
            guess.func(&module, &flow);
            done = module.proto_defaults[flow.guessed_protocol_id].func;
            ++calls;
        }
    }

    if (flow.detected_protocol_stack[0] == NDPI_PROTOCOL_UNKNOWN)
        for (const Step& step : steps_[kind]) {
            if ((flow.excluded_protocol_bitmask.fds_bits[step.word] >> step.bit & 1) != 0 ||
                (step.needs & packet) != step.needs || step.dissector == done)
                continue;
            step.dissector(&module, &flow);
            ++calls;
            if (flow.detected_protocol_stack[0] != NDPI_PROTOCOL_UNKNOWN) break;
        }

    // then those that tell what runs over the one that was found
    for (std::uint32_t i = 0; i < module.proto_defaults[flow.detected_protocol_stack[0]].subprotocol_count; ++i) {
        const auto id = module.proto_defaults[flow.detected_protocol_stack[0]].subprotocols[i];
        if (id == static_cast<std::uint16_t>(NDPI_PROTOCOL_MATCHED_BY_CONTENT)) continue;
        const auto& callback = module.callback_buffer[module.proto_defaults[id].protoIdx];
        if (done != module.proto_defaults[id].func && is_wanted(callback, flow, packet, NDPI_PROTOCOL_UNKNOWN)) {
            callback.func(&module, &flow);
            ++calls;
        }
        if (flow.detected_protocol_stack[1] != NDPI_PROTOCOL_UNKNOWN) break;
    }
    return calls;
}

#else

std::unique_ptr<const NdpiDispatch> NdpiDispatch::create(const ndpi_detection_module_struct*) {
    return nullptr;
}

#endif

}  // namespace nfstreamd

#if defined(NFSTREAMD_NDPI_DISPATCH)

// The library calls this one, as the program's symbols come before its own.
extern "C" __attribute__((visibility("default"))) std::uint32_t ndpi_check_flow_func(
    ndpi_detection_module_struct* module, ndpi_flow_struct* flow, std::uint32_t* packet) {
    using namespace nfstreamd;
    const NdpiDispatch* plan = NdpiDispatch::of(module);
    if (plan == nullptr || flow == nullptr || flow->detected_protocol_stack[0] != NDPI_PROTOCOL_UNKNOWN)
        return library_function()(module, flow, packet);
    return plan->run(*module, *flow, *packet);
}

#endif
