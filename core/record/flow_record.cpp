// SPDX-License-Identifier: Apache-2.0
#include "core/record/flow_record.hpp"

#include <utility>

namespace nfstreamd {

FlowRecord reversed(const FlowRecord& record) {
    FlowRecord out = record;
    std::swap(out.source_address, out.destination_address);
    std::swap(out.forward, out.reverse);
    std::swap(out.source_mac, out.destination_mac);
    std::swap(out.source_port, out.destination_port);
    if (out.biflow_direction == BiflowDirection::kInitiator)
        out.biflow_direction = BiflowDirection::kReverseInitiator;
    else if (out.biflow_direction == BiflowDirection::kReverseInitiator)
        out.biflow_direction = BiflowDirection::kInitiator;
    return out;
}

}  // namespace nfstreamd
