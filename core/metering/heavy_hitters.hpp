// SPDX-License-Identifier: Apache-2.0
// The keys with the most weight among any number of them, in bounded memory:
// twice `most` are kept, then the lighter ones leave at once. What a key that
// comes back has lost by that is bounded, and said. One thread.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace nfstreamd {

// `Value` has weight() and starts with none.
template <class Key, class Value, class Hash = std::hash<Key>>
class HeavyHitters {
public:
    explicit HeavyHitters(std::size_t most, Hash hash = Hash()) : most_(most), values_(2 * most, std::move(hash)) {}

    // Made when it is not there.
    Value& operator[](const Key& key) {
        const auto found = values_.find(key);
        if (found != values_.end()) return found->second;
        if (values_.size() >= 2 * most_) prune();
        return values_[key];
    }

    std::size_t size() const noexcept { return values_.size(); }
    // No key has more weight than it shows and this.
    std::uint64_t error() const noexcept { return error_; }

    // The heaviest first.
    std::vector<std::pair<Key, Value>> top(std::size_t count) const {
        std::vector<std::pair<Key, Value>> all(values_.begin(), values_.end());
        const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(count, all.size()));
        std::partial_sort(all.begin(), end, all.end(),
                          [](const auto& a, const auto& b) { return a.second.weight() > b.second.weight(); });
        all.erase(end, all.end());
        return all;
    }

private:
    void prune() {
        std::vector<std::uint64_t> weights;
        weights.reserve(values_.size());
        for (const auto& [key, value] : values_) weights.push_back(value.weight());
        const auto floor = weights.begin() + static_cast<std::ptrdiff_t>(most_);
        std::nth_element(weights.begin(), floor, weights.end(), std::greater<>());
        error_ += *floor;
        std::erase_if(values_, [least = *floor](const auto& entry) { return entry.second.weight() <= least; });
    }

    const std::size_t most_;
    std::unordered_map<Key, Value, Hash> values_;
    std::uint64_t error_ = 0;
};

}  // namespace nfstreamd
