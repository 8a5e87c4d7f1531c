// SPDX-License-Identifier: Apache-2.0
// What `flows` asks the control socket for.
#pragma once
#include <cstddef>
#include <memory>
#include <string_view>

#include "core/base/result.hpp"
#include "core/metering/table_inquiry.hpp"
#include "core/record/template.hpp"

namespace nfstreamd::daemon {

// "limit=20 sort=octets filter=EXPRESSION": words in any order, the filter last.
struct FlowRequest {
    static constexpr std::size_t kMostFlows = 4096;
    std::size_t limit = 20;
    FlowOrder order = FlowOrder::kOctets;
    std::shared_ptr<const FilterExpression> filter;  // null: every flow
};
Result<FlowRequest> parse_flow_request(std::string_view words, const FieldGroups& groups);

}  // namespace nfstreamd::daemon
