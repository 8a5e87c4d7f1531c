// SPDX-License-Identifier: Apache-2.0
// nDPI's view of a flow, by nfstream's rules: its first packets, up to a limit,
// are shown to nDPI, whose state is freed as soon as the verdict stands. One
// dissector per metering thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/application/dissector_options.hpp"
#include "core/application/ndpi_module.hpp"
#include "core/base/arena.hpp"
#include "core/base/result.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

// What a flow carries for its dissection. All zero: not begun. Lies in an array
// beside the flow entries; only the dissector looks inside.
struct FlowApplication {
    void* state;  // nDPI's, until the verdict stands
    char* texts;  // after it: what is kept, if anything
    std::uint16_t master, app, category;
    std::uint16_t module;  // the module it began with
    std::uint8_t confidence, family;
    bool complete, guessed;
    bool unseen;  // complete, as nothing of it is to be shown

    void prefetch() const noexcept {  // for the next packet
        if (state == nullptr) return;
        for (int line = 0; line < 3; ++line) __builtin_prefetch(static_cast<const char*>(state) + line * 64);
    }
};
static_assert(sizeof(FlowApplication) <= 32);

class NdpiDissector {
public:
    static Result<std::unique_ptr<NdpiDissector>> create(const DissectorOptions& options);
    ~NdpiDissector();

    // `number` is that of the packet in its flow, from 1; `ip` points to its
    // innermost IP header. Does nothing once the verdict stands.
    void on_packet(FlowApplication& flow, std::uint8_t protocol, const std::uint8_t* ip, std::uint16_t length,
                   std::uint64_t time_ms, std::uint32_t number) {
        if (!flow.complete) dissect(flow, protocol, ip, length, time_ms, number);
    }

    // What is known of the flow so far, which goes on; null: nothing of it is shown.
    const ApplicationRecord* so_far(FlowApplication& flow, Arena& arena);

    // No more packets of the flow are shown. Of one that none was shown of, the
    // result is null; others end as flows that were too short.
    void stop(FlowApplication& flow);

    // The flow ends: guesses if it must, writes the result into `arena`, frees
    // everything and leaves `flow` all zero.
    const ApplicationRecord* finish(FlowApplication& flow, Arena& arena);
    void discard(FlowApplication& flow) noexcept;  // without a result

    // As finish(), of a flow that goes on: what has been found so far, without a
    // guess. Texts are there when the verdict stands.
    const ApplicationRecord* describe(const FlowApplication& flow, Arena& arena) const;
    // Found so far; empty: nothing is to be shown. Lives as long as the flow's module.
    std::string_view application_name(const FlowApplication& flow) const;
    static std::uint64_t application_id(const FlowApplication& flow) noexcept {  // the same for the same name
        return std::uint64_t{flow.module} << 32 | std::uint32_t{flow.master} << 16 | flow.app;
    }

    // Flows that begin from now on are shown to this module. Those that have
    // begun stay with theirs, which is freed after the last of them.
    void adopt(std::unique_ptr<NdpiModule> module);

    // Of the module for new flows.
    ApplicationList applications() const;

    std::uint64_t states() const noexcept;  // of nDPI, kept for flows without a verdict
    std::size_t modules() const noexcept;   // not yet freed

private:
    class Implementation;
    explicit NdpiDissector(std::unique_ptr<Implementation> implementation);
    void dissect(FlowApplication& flow, std::uint8_t protocol, const std::uint8_t* ip, std::uint16_t length,
                 std::uint64_t time_ms, std::uint32_t number);

    std::unique_ptr<Implementation> implementation_;
};

std::string ndpi_version();  // of the library that is loaded

}  // namespace nfstreamd
