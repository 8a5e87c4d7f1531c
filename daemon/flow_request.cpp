// SPDX-License-Identifier: Apache-2.0
#include "daemon/flow_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace nfstreamd::daemon {
namespace {

constexpr std::pair<std::string_view, FlowOrder> kOrders[] = {
    {"octets", FlowOrder::kOctets}, {"packets", FlowOrder::kPackets}, {"duration", FlowOrder::kDuration},
    {"newest", FlowOrder::kNewest}, {"oldest", FlowOrder::kOldest},   {"last", FlowOrder::kLast}};

Error wrong(std::string message) {
    return {ErrorCode::kInvalidArgument, std::move(message), ""};
}

Result<FlowOrder> parse_order(std::string_view text) {
    std::string names;
    for (const auto& [name, order] : kOrders) {
        if (name == text) return order;
        names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
    }
    return wrong(fmt::format("sort: '{}' is none of {}", text, names));
}

}  // namespace

Result<FlowRequest> parse_flow_request(std::string_view words, const FieldGroups& groups) {
    FlowRequest request;
    while (!words.empty()) {
        if (words.front() == ' ') {
            words.remove_prefix(1);
            continue;
        }
        const auto equals = words.find('=');
        const std::string_view key = words.substr(0, equals);
        if (equals == words.npos) return wrong(fmt::format("'{}' has no value", key));
        words.remove_prefix(equals + 1);
        if (key == "filter") {
            auto filter = FilterExpression::parse(words, groups);
            if (!filter) return wrong("filter: " + filter.error().message);
            request.filter = std::make_shared<const FilterExpression>(std::move(filter.value()));
            return request;
        }
        const auto end = std::min(words.find(' '), words.size());
        const std::string_view value = words.substr(0, end);
        words.remove_prefix(end);
        if (key == "sort") {
            const auto order = parse_order(value);
            if (!order) return order.error();
            request.order = order.value();
        } else if (key == "limit") {
            const auto [rest, error] = std::from_chars(value.data(), value.data() + value.size(), request.limit);
            if (error != std::errc() || rest != value.data() + value.size() || request.limit < 1 ||
                request.limit > FlowRequest::kMostFlows)
                return wrong(fmt::format("limit: must be a number from 1 to {}", FlowRequest::kMostFlows));
        } else {
            return wrong(fmt::format("'{}' is none of sort, limit, filter", key));
        }
    }
    return request;
}

}  // namespace nfstreamd::daemon
