// SPDX-License-Identifier: Apache-2.0
#include "core/selection/record_selector.hpp"

#include <utility>

#include "core/base/mixing.hpp"

namespace nfstreamd {
namespace {

struct ThinnedBatch {
    RecordBatchPtr source;  // its arena holds what the copies point to
    RecordBatch batch;
};

}  // namespace

RecordBatchPtr RecordSelector::select(RecordBatchPtr batch) {
    std::shared_ptr<ThinnedBatch> thinned;
    const auto& records = batch->records;
    std::uint64_t filtered = 0, sampled_out = 0, elsewhere = 0;
    for (std::size_t i = 0; i < records.size(); ++i) {
        const bool ours = share_.holds(records[i]);
        const bool matches = ours && (!filter_ || filter_->matches(records[i]));
        const bool selected = matches && sample();
        elsewhere += !ours;
        filtered += ours && !matches;
        sampled_out += matches && !selected;
        if (!selected && !thinned) {  // the first that goes: those before it stay
            thinned = std::make_shared<ThinnedBatch>();
            thinned->batch.records.assign(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(i));
        } else if (selected && thinned) {
            thinned->batch.records.push_back(records[i]);
        }
    }
    filtered_.add(filtered);
    sampled_out_.add(sampled_out);
    elsewhere_.add(elsewhere);
    if (!thinned) return batch;
    if (thinned->batch.records.empty()) return nullptr;
    thinned->source = std::move(batch);
    return {thinned, &thinned->batch};
}

bool RecordSelector::sample() noexcept {
    if (sampling_.rate <= 1) return true;
    if (sampling_.method == SamplingMethod::kSystematic) {
        const bool first = position_ == 0;
        position_ = position_ + 1 == sampling_.rate ? 0 : position_ + 1;
        return first;
    }
    return scaled_to(splitmix_finish(state_ += kSplitmixStep), sampling_.rate) == 0;
}

}  // namespace nfstreamd
