// SPDX-License-Identifier: Apache-2.0
// The order in which nfstream would give the flows of a file. Its cache keeps
// flows as they were created; idle ones leave at its head alone, so that one that
// lives long holds up those behind it. A flow whose own packet ends it leaves at
// once. What the end of input finds leaves in the order of creation. No Python.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/record/flow_record.hpp"

namespace nfstreamd::python {

struct EndedFlow {
    explicit EndedFlow(const FlowRecord& record) noexcept;

    TimestampNs first;
    std::int64_t last_ms;
    std::uint64_t key;  // the same for all flows of one key
    std::uint64_t creation_id;
    EndReason reason;
};

// Places in `flows`, which are in the order in which they ended. Of packets no more is known than the first and the
// last of each flow: where another one would have been decisive, the order may differ.
std::vector<std::uint32_t> nfstream_order(std::span<const EndedFlow> flows, std::int64_t idle_ms);

}  // namespace nfstreamd::python
