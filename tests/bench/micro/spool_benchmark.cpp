// SPDX-License-Identifier: Apache-2.0
// Records as octets and back, to the spool and from it. NFSTREAMD_BENCH_SPOOL
// names the folder, /tmp otherwise: the disk decides, once the cache is full.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "core/export/spool.hpp"
#include "core/record/record_codec.hpp"

namespace {

using namespace nfstreamd;

constexpr std::size_t kRecords = 64;  // of a batch, as a meter makes them

// A web flow with what nDPI knows of it; with statistics, too, when asked for.
RecordBatchPtr make_batch(bool statistics) {
    auto batch = std::make_shared<RecordBatch>();
    for (std::size_t i = 0; i < kRecords; ++i) {
        auto& record = batch->records.emplace_back();
        record.id = record.creation_id = 1'000'000 + i;
        record.source_address = {{10, 0, 0, static_cast<std::uint8_t>(i)}, 4};
        record.destination_address = {{192, 0, 2, 7}, 4};
        record.source_port = static_cast<std::uint16_t>(40000 + i), record.destination_port = 443;
        record.protocol = 6, record.ip_version = 4;
        record.forward = {
            1'700'000'000'123'456'789, 1'700'000'030'123'456'789, 20, 4000, 4280, 0, 0x1b, 0, 64, 64, 0, 0};
        record.reverse = {
            1'700'000'000'133'456'789, 1'700'000'030'143'456'789, 30, 40000, 40420, 0, 0x1b, 0, 55, 55, 0, 0};
        record.interface_name = batch->arena.copy("eth0");
        ApplicationRecord application;
        application.name = batch->arena.copy("TLS.Wikipedia");
        application.category_name = batch->arena.copy("Web");
        application.requested_server_name = batch->arena.copy("upload.wikimedia.org");
        application.client_fingerprint = batch->arena.copy("t13d1516h2_8daaf6152771_02713d6af862");
        record.application = batch->arena.make(application);
        if (statistics) record.statistics = batch->arena.make<StatisticsRecord>();
    }
    return batch;
}

void record_encode(benchmark::State& state) {
    const auto batch = make_batch(state.range(0) != 0);
    std::string octets;
    for (auto _ : state) {
        octets.clear();
        append_records(octets, batch->records);
        benchmark::DoNotOptimize(octets.data());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRecords));
    state.counters["octets/record"] = static_cast<double>(octets.size()) / kRecords;
}

void record_decode(benchmark::State& state) {
    std::string octets;
    append_records(octets, make_batch(state.range(0) != 0)->records);
    for (auto _ : state) {
        RecordBatch batch;
        if (!read_records(octets, kRecords, batch)) return state.SkipWithError("unreadable");
        benchmark::DoNotOptimize(batch.records.data());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRecords));
}

struct Folder {
    std::string path;
    Logger logger{LogLevel::kError, LogFormat::kText};
    Folder() {
        const char* base = ::getenv("NFSTREAMD_BENCH_SPOOL");
        path = std::string(base != nullptr ? base : "/tmp") + "/nfstreamd-bench-XXXXXX";
        if (::mkdtemp(path.data()) == nullptr) path.clear();
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

// Written and read at once, as behind a receiver that is a little slow; a second
// brings its sync.
void spool_through(benchmark::State& state) {
    Folder folder;
    Spool spool({folder.path, std::uint64_t{1} << 30}, "bench", folder.logger);
    if (!spool.ready(Spool::Clock::now())) return state.SkipWithError("no spool");
    const auto batch = make_batch(false);
    for (auto _ : state) {
        if (!spool.append(batch->records)) return state.SkipWithError("not written");
        benchmark::DoNotOptimize(spool.read());
        spool.tend(Spool::Clock::now());
        if (spool.counters().octets.get() > 256 << 20) spool.commit(spool.position());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRecords));
}

void spool_append(benchmark::State& state) {
    Folder folder;
    Spool spool({folder.path, std::uint64_t{1} << 30}, "bench", folder.logger);
    if (!spool.ready(Spool::Clock::now())) return state.SkipWithError("no spool");
    const auto batch = make_batch(false);
    for (auto _ : state) {
        if (!spool.append(batch->records)) {
            state.PauseTiming();
            while (spool.read().batch) {
            }
            spool.commit(spool.position());
            state.ResumeTiming();
        }
        spool.tend(Spool::Clock::now());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRecords));
}

void spool_read(benchmark::State& state) {
    Folder folder;
    Spool spool({folder.path, std::uint64_t{1} << 30}, "bench", folder.logger);
    if (!spool.ready(Spool::Clock::now())) return state.SkipWithError("no spool");
    const auto batch = make_batch(false);
    for (int i = 0; i < 2000; ++i)
        if (!spool.append(batch->records)) return state.SkipWithError("not written");
    const auto begin = spool.position();
    for (auto _ : state) {
        benchmark::DoNotOptimize(spool.read());
        if (spool.drained()) spool.rewind(begin, 2000 * kRecords);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRecords));
}

BENCHMARK(record_encode)->ArgName("statistics")->Arg(0)->Arg(1);
BENCHMARK(record_decode)->ArgName("statistics")->Arg(0)->Arg(1);
BENCHMARK(spool_append)->UseRealTime();
BENCHMARK(spool_read)->UseRealTime();
BENCHMARK(spool_through)->UseRealTime();

}  // namespace
