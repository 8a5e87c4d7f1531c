// SPDX-License-Identifier: Apache-2.0
// A bounded map of what was asked for lately. A key has two places it may be in;
// a new one takes that of the two which was asked for less lately. One thread.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nfstreamd {

template <class Key, class Value>
class RecentCache {
public:
    // Rounded up to a power of two; 0: remembers nothing.
    explicit RecentCache(std::size_t capacity)
        : pairs_(capacity == 0 ? 1 : std::bit_ceil((capacity + 1) / 2)), remembers_(capacity != 0) {}

    struct Found {
        const Value& value;  // until the next call
        bool hit;
    };
    // `make(key)` is called for what is not there.
    template <class Make>
    Found get(const Key& key, std::uint64_t hash, Make make) {
        Pair& pair = pairs_[hash & (pairs_.size() - 1)];
        for (std::uint8_t i = 0; i < 2; ++i) {
            if (!pair.places[i].taken || pair.places[i].key != key) continue;
            pair.older = i ^ 1;
            return {pair.places[i].value, true};
        }
        Place& place = pair.places[pair.older];
        pair.older ^= 1;
        place.key = key;
        place.value = make(key);
        place.taken = remembers_;
        return {place.value, false};
    }

    std::size_t capacity() const noexcept { return remembers_ ? 2 * pairs_.size() : 0; }

private:
    struct Place {
        Key key{};
        Value value{};
        bool taken = false;
    };
    struct Pair {
        Place places[2];
        std::uint8_t older = 0;
    };
    std::vector<Pair> pairs_;
    bool remembers_;
};

}  // namespace nfstreamd
