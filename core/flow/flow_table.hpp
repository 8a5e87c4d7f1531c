// SPDX-License-Identifier: Apache-2.0
// The flows of one address family of one metering thread: hash -> index ->
// entry. Buckets of 64 octets hold eight 16-bit tags and eight indices; a count
// of what overflowed tells a lookup when to stop, so that nothing is moved and
// no tombstone is left. Sized once for max_flows, at most 62 % full, at most 16
// buckets looked at, whoever chose the keys. Not shared, not locked.
#pragma once
#include <algorithm>
#include <cassert>
#include <cstdint>
#include <vector>

#include "core/flow/flow_entry.hpp"
#include "core/flow/memory.hpp"
#include "core/flow/tag_match.hpp"

namespace nfstreamd {

inline constexpr std::uint32_t kNoFlow = 0xffffffff;

template <class Key, class Match = TagMatch>
class FlowTable {
public:
    using Entry = FlowEntry<Key>;

    Status allocate(std::uint32_t max_flows) {
        std::uint64_t buckets = 64;
        while (buckets * 5 < max_flows) buckets *= 2;  // 8 slots each, at most 5 of them taken
        mask_ = buckets - 1;
        limit_ = max_flows;
        if (auto status = buckets_.allocate(buckets); !status) return status;
        if (auto status = entries_.allocate(max_flows); !status) return status;
        free_.reserve(max_flows);  // address space; to grow with packets waiting would be a pause
        return ok();
    }
    // Entries are given out in order, so those of the first `flows`; buckets anywhere.
    void prefault(Prefault& prefault, std::size_t flows) {
        buckets_.prefault(prefault, mask_ + 1);
        entries_.prefault(prefault, flows);
    }

    Entry& operator[](std::uint32_t index) noexcept { return entries_[index]; }
    // For who looks at all flows: places below this have been taken once; free ones are poisoned.
    std::uint32_t places() const noexcept { return used_; }
    std::uint32_t size() const noexcept { return live_; }
    std::uint32_t limit() const noexcept { return limit_; }
    std::size_t octets() const noexcept { return buckets_.octets() + entries_.octets(); }
    static constexpr std::size_t octets_per_flow() { return sizeof(Entry) + sizeof(Bucket) / 5; }

    // Looks at every entry that ever was, in order: some milliseconds for a million.
    std::uint64_t packets() const noexcept {
        std::uint64_t sum = 0;
        for (std::uint32_t i = 0; i < used_; ++i)
            if (!entries_[i].key.is_poisoned()) sum += worth(entries_[i]);
        return sum;
    }
    std::uint32_t used() const noexcept { return used_; }  // entries that packets() looks at

    // The steps of a vector: fetch the bucket, then the entry, then look up.
    void prefetch(std::uint64_t hash) const noexcept { __builtin_prefetch(&buckets_[home(hash)]); }
    std::uint32_t candidate(std::uint64_t hash) const noexcept {  // entry whose tag matches in the home bucket
        const Bucket& bucket = buckets_[home(hash)];
        const std::uint32_t found = match(bucket, tag_of(hash));
        return found ? bucket.index[__builtin_ctz(found) / 2] : kNoFlow;
    }
    // The entry that the n-th insertion from now will get, unless something is erased before.
    std::uint32_t upcoming(std::uint32_t n) const noexcept {
        const std::uint32_t index =
            n < free_.size() ? free_[free_.size() - 1 - n] : used_ + n - static_cast<std::uint32_t>(free_.size());
        return index < limit_ ? index : 0;
    }
    void prefetch_entry(std::uint32_t index, bool whole) noexcept {
        char* line = reinterpret_cast<char*>(&entries_[index]);
        __builtin_prefetch(line, 1);
        if (whole || sizeof(Entry) > 128) __builtin_prefetch(line + 64, 1);
    }

    std::uint32_t find(const Key& key, std::uint64_t hash) const noexcept {
        std::uint64_t b = home(hash);
        for (int probe = 0; probe < kProbeLimit; ++probe, b = next(b)) {
            const Bucket& bucket = buckets_[b];
            for (std::uint32_t found = match(bucket, tag_of(hash)); found; found &= found - 1) {
                const std::uint32_t index = bucket.index[__builtin_ctz(found) / 2];
                if (entries_[index].key == key) return index;
            }
            if (bucket.overflow == 0) break;
        }
        return kNoFlow;
    }

    // A new entry for a hash, its content undefined; kNoFlow: no entry or no slot is free.
    std::uint32_t insert(std::uint64_t hash) {
        if (free_.empty() && used_ == limit_) return kNoFlow;
        const std::uint32_t index = free_.empty() ? used_ : free_.back();
        if (!place(hash, index)) return kNoFlow;
        if (free_.empty())
            ++used_;
        else
            free_.pop_back();
        ++live_;
        return index;
    }

    // To be replaced when 16 buckets in a row are full: of the home bucket and of one behind it the entry with the
    // fewest packets. Flows that somebody makes collide so replace each other, not the longer ones among them.
    std::uint32_t victim(std::uint64_t hash) const noexcept {
        const std::uint64_t places = hash >> 40;  // not of the home's bits
        const std::uint64_t buckets[] = {home(hash), home(hash + 1 + (places >> 3) % (kProbeLimit - 1))};
        std::uint32_t least = kNoFlow;
        for (const std::uint64_t b : buckets)
            for (std::uint64_t i = 0; i < kSlots; ++i) {
                const std::uint32_t index = buckets_[b].index[(places + i) % kSlots];
                if (least == kNoFlow || worth(entries_[index]) < worth(entries_[least])) least = index;
            }
        return least;
    }

    void erase(std::uint64_t hash, std::uint32_t index) {
        std::uint64_t b = home(hash);
        for (int probe = 0; probe < kProbeLimit; ++probe, b = next(b)) {
            for (std::uint32_t found = match(buckets_[b], tag_of(hash)); found; found &= found - 1) {
                const int slot = __builtin_ctz(found) / 2;
                if (buckets_[b].index[slot] != index) continue;
                buckets_[b].tag[slot] = 0;
                for (std::uint64_t c = home(hash); c != b; c = next(c)) --buckets_[c].overflow;
                entries_[index].key.poison();  // it may be a candidate of this very vector
                free_.push_back(index);
                --live_;
                return;
            }
        }
        assert(!"a live flow is in its table");
    }

private:
    static constexpr int kSlots = 8, kProbeLimit = 16;
    struct alignas(64) Bucket {
        std::uint16_t tag[kSlots];  // 0: slot empty
        std::uint32_t index[kSlots];
        std::uint32_t overflow;  // entries whose home is at or before this bucket and that are stored past it
        std::uint32_t spare[3];
    };
    static_assert(sizeof(Bucket) == 64);

    static std::uint16_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint16_t>(hash >> 48 | 1); }
    std::uint64_t home(std::uint64_t hash) const noexcept { return hash & mask_; }
    std::uint64_t next(std::uint64_t bucket) const noexcept { return (bucket + 1) & mask_; }

    // Bit 2i is set when tag i matches.
    static std::uint32_t match(const Bucket& bucket, std::uint16_t tag) noexcept {
        return Match::find(bucket.tag, tag);
    }

    // How much is lost with an entry; nothing with one whose flow has been closed.
    static std::uint64_t worth(const Entry& entry) noexcept {
        return entry.last_direction > 1 ? 0 : std::uint64_t{entry.packets[0]} + entry.packets[1];
    }

    bool place(std::uint64_t hash, std::uint32_t index) noexcept {
        std::uint64_t b = home(hash);
        for (int probe = 0; probe < kProbeLimit; ++probe, b = next(b)) {
            const std::uint32_t empty = match(buckets_[b], 0);
            if (!empty) continue;
            const int slot = __builtin_ctz(empty) / 2;
            buckets_[b].tag[slot] = tag_of(hash);
            buckets_[b].index[slot] = index;
            for (std::uint64_t c = home(hash); c != b; c = next(c)) ++buckets_[c].overflow;
            return true;
        }
        return false;
    }

    Region<Bucket> buckets_;
    Region<Entry> entries_;
    std::vector<std::uint32_t> free_;
    std::uint64_t mask_ = 0;
    std::uint32_t used_ = 0, live_ = 0, limit_ = 0;
};

}  // namespace nfstreamd
