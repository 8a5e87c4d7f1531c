// SPDX-License-Identifier: Apache-2.0
// nDPI's view of a flow, by nfstream's rules: the first `n_dissections` packets
// are shown to it, and its state is freed as soon as the verdict stands. One
// dissector per metering thread; creating and destroying are serialised inside.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/arena.hpp"
#include "core/base/result.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

// What a flow carries for its dissection. All zero: not begun. Lies in an array
// beside the flow entries; only the dissector looks inside.
struct FlowApplication {
    void* state;  // ndpi_flow_struct until the verdict stands
    char* texts;  // after it: five strings, if any is not empty
    std::uint16_t master, app, category;
    std::uint8_t confidence, family;
    bool complete, guessed;
};
static_assert(sizeof(FlowApplication) <= 32);

class NdpiDissector {
public:
    static Result<std::unique_ptr<NdpiDissector>> create(unsigned n_dissections);
    ~NdpiDissector();

    // `number` is that of the packet in its flow, from 1; `ip` points to its
    // innermost IP header. Does nothing once the verdict stands.
    void on_packet(FlowApplication& flow, const std::uint8_t* ip, std::uint16_t length, std::uint64_t time_ms,
                   std::uint32_t number) {
        if (!flow.complete) dissect(flow, ip, length, time_ms, number);
    }

    // The flow ends: guesses if it must, writes the result into `arena`, frees
    // everything and leaves `flow` all zero.
    const ApplicationRecord* finish(FlowApplication& flow, Arena& arena);
    void discard(FlowApplication& flow) noexcept;  // without a result

    std::uint64_t states() const noexcept;  // ndpi_flow_structs in use

private:
    class Implementation;
    explicit NdpiDissector(std::unique_ptr<Implementation> implementation);
    void dissect(FlowApplication& flow, const std::uint8_t* ip, std::uint16_t length, std::uint64_t time_ms,
                 std::uint32_t number);

    std::unique_ptr<Implementation> implementation_;
};

std::string ndpi_version();  // of the library that is loaded

}  // namespace nfstreamd
