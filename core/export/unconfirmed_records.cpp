// SPDX-License-Identifier: Apache-2.0
#include "core/export/unconfirmed_records.hpp"

#include <algorithm>
#include <utility>

namespace nfstreamd {

void UnconfirmedRecords::add(const RecordRange& range, std::size_t end) {
    if (end <= range.from) return;
    records_ += end - range.from;
    if (!items_.empty() && items_.back().range.batch == range.batch && items_.back().end == range.from)
        items_.back().end = end;
    else
        items_.push_back({range, end});
}

void UnconfirmedRecords::keep_newest(std::size_t count) {
    while (!items_.empty() && records_ - items_.front().size() >= count) {
        records_ -= items_.front().size();
        items_.pop_front();
    }
}

UnconfirmedRecords::Taken UnconfirmedRecords::take_newest(std::size_t count) {
    keep_newest(count);
    Taken taken;
    taken.records = std::min(records_, count);
    for (Item& item : items_) taken.ranges.push_back(std::move(item.range));
    if (!items_.empty()) taken.ranges.front().from += records_ - taken.records;  // the first ones have arrived
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
