// SPDX-License-Identifier: Apache-2.0
// A record to its anonymised copy: addresses that are remembered and new ones,
// cut and replaced, alone and with hardware addresses and texts.
#include <benchmark/benchmark.h>

#include <cstring>

#include "exporters/anonymize/record_anonymizer.hpp"

namespace {

using namespace nfstreamd;
using namespace nfstreamd::exporters;

constexpr std::uint32_t kBatch = 64, kRemembered = 1000;

IpAddress address(int version, std::uint32_t number) {
    IpAddress out;
    out.version = static_cast<std::uint8_t>(version);
    out.bytes[0] = version == 4 ? 10 : 0x20;
    std::memcpy(out.bytes.data() + (version == 4 ? 1 : 12), &number, 3);
    return out;
}

void anonymize(benchmark::State& state, AnonymizationOptions options, int version, bool fresh) {
    options.key = options.needs_key() ? "a key that is long enough" : "";
    auto made = RecordAnonymizer::make(options);
    if (!made) return state.SkipWithError(made.error().message.c_str());
    ApplicationDetails details;
    details.http_url = "www.example/index.html";
    ApplicationRecord application;
    application.requested_server_name = "www.example";
    application.user_agent = "Browser/1.0 (an operating system; a processor) Engine/2.0";
    application.details = &details;
    std::vector<FlowRecord> records(kBatch);
    std::uint32_t number = 0;
    for (auto _ : state) {
        Arena arena;
        for (FlowRecord& record : records) {
            record.source_address = address(version, fresh ? ++number : ++number % kRemembered);
            record.destination_address = address(version, fresh ? ++number : ++number % kRemembered);
            record.source_mac = record.destination_mac = {2, 0, 0, 0, 0, 1};
            record.application = &application;
            made.value()->anonymize(record, arena);
        }
        benchmark::DoNotOptimize(records);
    }
    state.SetItemsProcessed(state.iterations() * kBatch);
}

const AnonymizationOptions kTruncate{.addresses = AddressMethod::kTruncate, .key = {}};
const AnonymizationOptions kReplace{.addresses = AddressMethod::kPrefixPreserving, .key = {}};
const AnonymizationOptions kDropAll{AddressMethod::kPrefixPreserving, 24, 48, MacMethod::kDrop, TextMethod::kDrop, {}};
const AnonymizationOptions kReplaceAll{AddressMethod::kPrefixPreserving, 24, 48, MacMethod::kPseudonym,
                                       TextMethod::kPseudonym,           {}};

BENCHMARK_CAPTURE(anonymize, truncate, kTruncate, 4, false);
BENCHMARK_CAPTURE(anonymize, remembered_v4, kReplace, 4, false);
BENCHMARK_CAPTURE(anonymize, remembered_v6, kReplace, 6, false);
BENCHMARK_CAPTURE(anonymize, new_v4, kReplace, 4, true);
BENCHMARK_CAPTURE(anonymize, new_v6, kReplace, 6, true);
BENCHMARK_CAPTURE(anonymize, remembered_v4_and_nothing_else, kDropAll, 4, false);
BENCHMARK_CAPTURE(anonymize, remembered_v4_and_pseudonyms, kReplaceAll, 4, false);

}  // namespace
