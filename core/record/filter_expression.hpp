// SPDX-License-Identifier: Apache-2.0
// An operator's condition on flow records, over all fields of the field table:
// `application_name != Unknown and dst_port in [80, 443]`. Typed when it is
// parsed, so that matching cannot fail. Constant once made; any thread.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/record/filter_value.hpp"
#include "core/record/template.hpp"

namespace nfstreamd {

class FilterExpression {
public:
    static constexpr std::size_t kLongest = 65536;  // octets of text
    static constexpr int kDeepest = 64;             // parentheses and negations in one another

    // The error begins with the column it is about.
    static Result<FilterExpression> parse(std::string_view text, const FieldGroups& groups);

    bool matches(const FlowRecord& record) const noexcept { return holds(root_, record); }
    bool uses(IeGroup group) const noexcept;  // a field of it is asked for

private:
    friend class FilterParser;
    enum class Kind : std::uint8_t { kAll, kAny, kNot, kComparison };
    struct Node {
        Kind kind = Kind::kComparison;
        bool negated = false;              // kComparison: not in
        std::vector<std::uint32_t> parts;  // of kAll, kAny, kNot
        const InformationElement* field = nullptr;
        FilterOperator op = FilterOperator::kEqual;
        std::vector<FilterValue> values;  // any of them
    };

    FilterExpression() = default;
    bool holds(std::uint32_t index, const FlowRecord& record) const noexcept;

    std::vector<Node> nodes_;
    std::uint32_t root_ = 0;
};

}  // namespace nfstreamd
