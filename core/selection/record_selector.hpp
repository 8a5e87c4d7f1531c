// SPDX-License-Identifier: Apache-2.0
// Which flow records one exporter gets: a filter, then sampling (RFC 7014). What
// it leaves out is counted and is no loss. The exporter's thread; counters any.
#pragma once
#include <cstdint>
#include <optional>

#include "core/base/counter.hpp"
#include "core/record/filter_expression.hpp"
#include "core/record/flow_record.hpp"
#include "core/selection/packet_selector.hpp"

namespace nfstreamd {

// One of `rate` flow records that pass the filter: the first of each `rate`, or
// each with that probability.
struct FlowSamplingOptions {
    SamplingMethod method = SamplingMethod::kSystematic;
    std::uint32_t rate = 1;  // 1: every record
    friend bool operator==(const FlowSamplingOptions&, const FlowSamplingOptions&) = default;
};

class RecordSelector {
public:
    RecordSelector(std::optional<FilterExpression> filter, FlowSamplingOptions sampling, std::uint64_t seed)
        : filter_(std::move(filter)), sampling_(sampling), state_(seed) {}

    // The batch itself when all of it is selected, null when nothing is, else a
    // batch of copies, which keeps alive what they point to.
    RecordBatchPtr select(RecordBatchPtr batch);

    std::uint64_t filtered() const noexcept { return filtered_.get(); }
    std::uint64_t sampled_out() const noexcept { return sampled_out_.get(); }

private:
    bool sample() noexcept;

    const std::optional<FilterExpression> filter_;
    const FlowSamplingOptions sampling_;
    std::uint64_t state_;         // kRandom
    std::uint32_t position_ = 0;  // kSystematic: in the present run of `rate` records
    Counter filtered_, sampled_out_;
};

}  // namespace nfstreamd
