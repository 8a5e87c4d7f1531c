// SPDX-License-Identifier: Apache-2.0
// Which flow records one exporter gets: a filter, then sampling (RFC 7014). What
// it leaves out is counted and is no loss. The exporter's thread; counters any.
#pragma once
#include <cstdint>
#include <optional>

#include "core/base/counter.hpp"
#include "core/base/mixing.hpp"
#include "core/record/filter_expression.hpp"
#include "core/record/flow_record.hpp"
#include "core/selection/packet_selector.hpp"
#include "core/selection/record_hash.hpp"

namespace nfstreamd {

// One of `rate` flow records that pass the filter: the first of each `rate`, or
// each with that probability.
struct FlowSamplingOptions {
    SamplingMethod method = SamplingMethod::kSystematic;
    std::uint32_t rate = 1;  // 1: every record
    friend bool operator==(const FlowSamplingOptions&, const FlowSamplingOptions&) = default;
};

// Which part of the flows: one exporter is several when each of its collectors
// gets the flows of its share.
struct RecordShare {
    std::uint32_t index = 0, count = 1;
    bool holds(const FlowRecord& record) const noexcept {
        return count == 1 || scaled_to(record_hash(record), count) == index;
    }
    friend bool operator==(const RecordShare&, const RecordShare&) = default;
};

class RecordSelector {
public:
    RecordSelector(std::optional<FilterExpression> filter, FlowSamplingOptions sampling, std::uint64_t seed,
                   RecordShare share = {})
        : filter_(std::move(filter)), sampling_(sampling), share_(share), state_(seed) {}

    // The batch itself when all of it is selected, null when nothing is, else a
    // batch of copies, which keeps alive what they point to.
    RecordBatchPtr select(RecordBatchPtr batch);

    std::uint64_t filtered() const noexcept { return filtered_.get(); }
    std::uint64_t sampled_out() const noexcept { return sampled_out_.get(); }
    std::uint64_t elsewhere() const noexcept { return elsewhere_.get(); }  // of other shares

private:
    bool sample() noexcept;

    const std::optional<FilterExpression> filter_;
    const FlowSamplingOptions sampling_;
    const RecordShare share_;
    std::uint64_t state_;         // kRandom
    std::uint32_t position_ = 0;  // kSystematic: in the present run of `rate` records
    Counter filtered_, sampled_out_, elsewhere_;
};

}  // namespace nfstreamd
