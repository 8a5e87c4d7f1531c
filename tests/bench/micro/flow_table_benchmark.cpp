// SPDX-License-Identifier: Apache-2.0
// The flow table half full of what it may hold, small enough for the cache and
// not: one lookup after the other, and as a vector of packets does it, with
// bucket and entry fetched ahead.
#include <benchmark/benchmark.h>

#include <array>
#include <vector>

#include "core/base/mixing.hpp"
#include "core/flow/flow_table.hpp"

namespace {

using namespace nfstreamd;

constexpr std::size_t kVector = 32;

template <class Key>
class Filled {
public:
    struct Known {
        Key key;
        std::uint64_t hash;
    };

    explicit Filled(std::uint32_t limit) {
        if (!table.allocate(limit)) std::abort();
        for (std::uint32_t i = 0; i < limit / 2; ++i) {
            inside.push_back(some(i));
            add(inside.back());
            outside.push_back(some(limit + i));
        }
        for (std::size_t i = inside.size(); i > 1; --i)  // looked up in another order than they came
            std::swap(inside[i - 1], inside[scaled_to(splitmix_finish(i * kSplitmixStep), i)]);
    }

    std::uint32_t add(const Known& known) {
        const std::uint32_t index = table.insert(known.hash);
        if (index != kNoFlow) table[index].key = known.key;
        return index;
    }

    FlowTable<Key> table;
    std::vector<Known> inside, outside;

private:
    Known some(std::uint64_t n) const {
        Known known;
        for (auto& word : known.key.word) word = splitmix_finish(n += kSplitmixStep);
        known.hash = hash_(known.key);
        return known;
    }

    const FlowHash hash_{{1, 3, 5, 7, 11, 13, 17, 19, 23}};
};

template <class Key>
void find(benchmark::State& state, bool there) {
    Filled<Key> filled(static_cast<std::uint32_t>(state.range(0)));
    const auto& wanted = there ? filled.inside : filled.outside;
    std::size_t next = 0;
    for (auto _ : state) {
        const auto& known = wanted[next];
        const std::uint32_t found = filled.table.find(known.key, known.hash);
        if ((found != kNoFlow) != there) return state.SkipWithError("the table is wrong");
        if (++next == wanted.size()) next = 0;
    }
    state.SetItemsProcessed(state.iterations());
}

template <class Key>
void find_hit(benchmark::State& state) {
    find<Key>(state, true);
}
template <class Key>
void find_miss(benchmark::State& state) {
    find<Key>(state, false);
}

template <class Key>
void find_vector(benchmark::State& state) {
    Filled<Key> filled(static_cast<std::uint32_t>(state.range(0)));
    auto& table = filled.table;
    std::size_t next = 0;
    for (auto _ : state) {
        if (next + kVector > filled.inside.size()) next = 0;
        const auto* known = &filled.inside[next];
        for (std::size_t i = 0; i < kVector; ++i) table.prefetch(known[i].hash);
        for (std::size_t i = 0; i < kVector; ++i) {
            const std::uint32_t candidate = table.candidate(known[i].hash);
            if (candidate != kNoFlow) table.prefetch_entry(candidate, false);
        }
        for (std::size_t i = 0; i < kVector; ++i)
            if (table.find(known[i].key, known[i].hash) == kNoFlow) return state.SkipWithError("the table is wrong");
        next += kVector;
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kVector));
}

template <class Key>
void insert_and_erase(benchmark::State& state) {
    Filled<Key> filled(static_cast<std::uint32_t>(state.range(0)));
    std::size_t next = 0;
    for (auto _ : state) {
        const auto& known = filled.outside[next];
        const std::uint32_t index = filled.add(known);
        if (index == kNoFlow) return state.SkipWithError("the table is full");
        filled.table.erase(known.hash, index);
        if (++next == filled.outside.size()) next = 0;
    }
    state.SetItemsProcessed(state.iterations());
}

constexpr int kSmall = 1 << 10, kLarge = 1 << 21;
BENCHMARK_TEMPLATE(find_hit, FlowKeyV4)->Arg(kSmall)->Arg(kLarge);
BENCHMARK_TEMPLATE(find_hit, FlowKeyV6)->Arg(kSmall)->Arg(kLarge);
BENCHMARK_TEMPLATE(find_miss, FlowKeyV4)->Arg(kSmall)->Arg(kLarge);
BENCHMARK_TEMPLATE(find_vector, FlowKeyV4)->Arg(kSmall)->Arg(kLarge);
BENCHMARK_TEMPLATE(insert_and_erase, FlowKeyV4)->Arg(kSmall)->Arg(kLarge);

}  // namespace
