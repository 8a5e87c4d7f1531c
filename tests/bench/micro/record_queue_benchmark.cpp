// SPDX-License-Identifier: Apache-2.0
// The queue between a meter and an exporter: one batch in and out by one thread,
// and a stream of batches to another thread.
#include <benchmark/benchmark.h>

#include <memory>
#include <thread>

#include "core/export/record_queue.hpp"

namespace {

using namespace nfstreamd;

constexpr std::size_t kCapacity = 1024, kRecords = 64;

RecordBatchPtr make_batch() {
    auto batch = std::make_shared<RecordBatch>();
    batch->records.resize(kRecords);
    return batch;
}

void queue_push_and_pop(benchmark::State& state) {
    RecordQueue queue("bench", kCapacity, std::make_shared<WakeEvent>());
    const RecordBatchPtr batch = make_batch();
    for (auto _ : state) {
        if (!queue.try_push(batch)) return state.SkipWithError("full");
        benchmark::DoNotOptimize(queue.try_pop());
    }
    state.SetItemsProcessed(state.iterations());
}

void queue_between_threads(benchmark::State& state) {
    RecordQueue queue("bench", kCapacity, std::make_shared<WakeEvent>());
    const RecordBatchPtr batch = make_batch();
    std::jthread consumer([&] {
        while (!queue.ended() || queue.popped_records() < queue.pushed_records())
            if (!queue.try_pop()) std::this_thread::yield();
    });
    for (auto _ : state)
        while (!queue.try_push(batch)) std::this_thread::yield();
    queue.end_of_stream();
    consumer.join();
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(queue_push_and_pop);
BENCHMARK(queue_between_threads)->UseRealTime();

}  // namespace
