// SPDX-License-Identifier: Apache-2.0
// A record as a line of CSV and of JSON: nfstream's columns without and with
// statistics and first packets.
#include <benchmark/benchmark.h>

#include <string>

#include "core/record/template.hpp"
#include "exporters/encode/csv_encoder.hpp"
#include "exporters/encode/json_encoder.hpp"

namespace {

using namespace nfstreamd;
using namespace nfstreamd::exporters;

struct Sample {
    ApplicationRecord application;
    StatisticsRecord statistics{};
    FlowRecord record;

    Sample() {
        application.name = "TLS.Google";
        application.category_name = "Web";
        application.requested_server_name = "www.google.example";
        record.id = 4711;
        record.source_address = {{10, 1, 2, 3}, 4};
        record.destination_address = {{192, 0, 2, 7}, 4};
        record.source_mac = {2, 0, 0, 0, 0, 1};
        record.destination_mac = {2, 0, 0, 0, 0, 2};
        record.source_port = 40000;
        record.destination_port = 443;
        record.protocol = 6;
        record.ip_version = 4;
        for (auto* direction : {&record.forward, &record.reverse}) {
            direction->first = 1'700'000'000'123'000'000;
            direction->last = direction->first + 2'345'000'000;
            direction->packets = 17;
            direction->octets = 12'345;
            direction->bytes = 12'583;
            direction->tcp_flags = 0x1b;
        }
        record.application = &application;
        record.statistics = &statistics;
    }
};

template <class Encoder>
void encode(benchmark::State& state) {
    FieldGroups groups;
    groups.statistics = state.range(0) != 0;
    const Sample sample;
    const Encoder encoder(nfstream_fields(groups));
    std::string out;
    std::size_t octets = 0;
    for (auto _ : state) {
        out.clear();
        encoder.encode(sample.record, out);
        octets += out.size();
        benchmark::DoNotOptimize(out);
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(static_cast<std::int64_t>(octets));
}

BENCHMARK_TEMPLATE(encode, CsvEncoder)->ArgName("statistics")->Arg(0)->Arg(1);
BENCHMARK_TEMPLATE(encode, JsonEncoder)->ArgName("statistics")->Arg(0)->Arg(1);

}  // namespace
