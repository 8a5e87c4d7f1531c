// SPDX-License-Identifier: Apache-2.0
#include "core/export/unconfirmed_records.hpp"

#include <algorithm>
#include <utility>

namespace nfstreamd {

void UnconfirmedRecords::add(const RecordRange& range, std::size_t end, std::uint64_t dropped) {
    if (end <= range.from) return;
    records_ += end - range.from;
    if (!items_.empty() && items_.back().range.batch == range.batch && items_.back().end == range.from)
        items_.back().end = end;
    else
        items_.push_back({range, end, dropped});
}

void UnconfirmedRecords::keep_newest(std::size_t count, std::uint64_t dropped) {
    if (count == 0) {
        items_.clear();
        records_ = 0;
        return;
    }
    while (items_.size() > 1) {
        const std::size_t newer = records_ - items_.front().size();
        if (newer < count + (dropped - items_[1].dropped)) return;
        records_ = newer;
        items_.pop_front();
    }
}

UnconfirmedRecords::Taken UnconfirmedRecords::take_newest(std::size_t count, std::uint64_t dropped) {
    Taken taken;
    auto oldest = items_.end();
    std::size_t wanted = count;
    while (count > 0 && oldest != items_.begin() && taken.records < wanted) {
        --oldest;
        taken.records += oldest->size();
        wanted = count + (dropped - oldest->dropped);
    }
    for (auto item = oldest; item != items_.end(); ++item) taken.ranges.push_back(std::move(item->range));
    if (taken.records > wanted) {  // of the oldest batch the first ones have arrived
        const std::size_t surplus = taken.records - wanted;
        taken.ranges.front().from += surplus;
        taken.records = wanted;
    }
    items_.clear();
    records_ = 0;
    return taken;
}

std::optional<SpoolPosition> UnconfirmedRecords::oldest_place() const {
    const auto found = std::find_if(items_.begin(), items_.end(), [](const Item& item) { return item.range.place; });
    if (found == items_.end()) return std::nullopt;
    return found->range.position();
}

}  // namespace nfstreamd
