// SPDX-License-Identifier: Apache-2.0
// Longest prefix match on numbers: nested prefixes become disjoint ranges once,
// after which a lookup is one binary search among those that the same 16 bits
// begin. Const after build(), any thread.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace nfstreamd {

template <class Number>  // unsigned
class LongestPrefix {
public:
    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

    // Of two that overlap one must contain the other, as prefixes do.
    void add(Number first, Number last, std::uint32_t value) { prefixes_.push_back({first, last, value}); }

    struct Repeated {
        std::uint32_t kept, dropped;  // values of the same prefix
    };
    // Once, after the last add(). Of a prefix that was added twice the first stays.
    std::vector<Repeated> build() {
        std::stable_sort(prefixes_.begin(), prefixes_.end(), [](const Prefix& a, const Prefix& b) {
            return a.first != b.first ? a.first < b.first : a.last > b.last;
        });
        std::vector<Repeated> repeated = drop_repeated();
        flatten();
        make_index();
        prefixes_ = {};
        starts_.shrink_to_fit();
        values_.shrink_to_fit();
        return repeated;
    }

    // The value of the longest prefix that holds `number`, or kNone.
    std::uint32_t find(Number number) const noexcept {
        if (starts_.empty()) return kNone;
        const Number* at = starts_.data();  // is never above `number`
        std::size_t left = starts_.size();
        if (!index_.empty()) {
            const auto block = static_cast<std::size_t>(number >> kShift);
            at += index_[block];
            left = index_[block + 1] - index_[block] + 1;
        }
        while (left > 1) {
            const std::size_t half = left / 2;
            at += at[half] <= number ? half : 0;
            left -= half;
        }
        return values_[static_cast<std::size_t>(at - starts_.data())];
    }

private:
    static constexpr std::size_t kBlocks = 1 << 16, kIndexedFrom = 64;
    static constexpr unsigned kShift = 8 * sizeof(Number) - 16;

    struct Prefix {
        Number first, last;
        std::uint32_t value;
    };

    std::vector<Repeated> drop_repeated() {
        std::vector<Repeated> repeated;
        std::size_t kept = 0;
        for (std::size_t i = 0; i < prefixes_.size(); ++i) {
            const bool again = i != 0 && prefixes_[kept - 1].first == prefixes_[i].first &&
                               prefixes_[kept - 1].last == prefixes_[i].last;
            if (again)
                repeated.push_back({prefixes_[kept - 1].value, prefixes_[i].value});
            else
                prefixes_[kept++] = prefixes_[i];
        }
        prefixes_.resize(kept);
        return repeated;
    }

    void flatten() {
        begin_range(0, kNone);
        std::vector<Prefix> open;  // each within the one before
        const auto close = [&] {
            const Number last = open.back().last;
            open.pop_back();
            if (last != static_cast<Number>(~Number{0}))
                begin_range(last + 1, open.empty() ? kNone : open.back().value);
        };
        for (const Prefix& prefix : prefixes_) {
            while (!open.empty() && open.back().last < prefix.first) close();
            begin_range(prefix.first, prefix.value);
            open.push_back(prefix);
        }
        while (!open.empty()) close();
    }

    // For each 16 bits that a number may begin with: the range in which the first such number lies.
    void make_index() {
        if (starts_.size() < kIndexedFrom) return;
        index_.reserve(kBlocks + 1);
        std::uint32_t at = 0;
        for (std::size_t block = 0; block < kBlocks; ++block) {
            while (at + 1 < starts_.size() && starts_[at + 1] <= static_cast<Number>(block) << kShift) ++at;
            index_.push_back(at);
        }
        index_.push_back(static_cast<std::uint32_t>(starts_.size() - 1));
    }

    void begin_range(Number start, std::uint32_t value) {
        if (!starts_.empty() && starts_.back() == start) {
            values_.back() = value;
        } else if (values_.empty() || values_.back() != value) {
            starts_.push_back(start);
            values_.push_back(value);
        }
    }

    std::vector<Prefix> prefixes_;
    std::vector<Number> starts_;  // ascending, the first is 0
    std::vector<std::uint32_t> values_;
    std::vector<std::uint32_t> index_;  // empty: too few to need one
};

}  // namespace nfstreamd
