// SPDX-License-Identifier: Apache-2.0
// FilterExpression on hostile text, in a heap block of exactly its size. What
// parses is applied to a full record and to an empty one, and must disagree with
// its own negation.
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "core/record/filter_expression.hpp"
#include "core/record/flow_record.hpp"
#include "tests/fuzz/promises.hpp"

namespace {

using namespace nfstreamd;
using fuzz::require;

FlowRecord full_record() {
    static const ApplicationRecord application = [] {
        ApplicationRecord a;
        a.name = "TLS.Google";
        a.category_name = "Web";
        a.requested_server_name = "www.example.org";
        return a;
    }();
    static const StatisticsRecord statistics = [] {
        StatisticsRecord s;
        s.bidirectional.mean_ps = 100.25;
        return s;
    }();
    FlowRecord r;
    r.source_address = {{10, 1, 2, 3}, 4};
    r.destination_address = {{192, 0, 2, 7}, 4};
    r.destination_port = 443;
    r.protocol = 6;
    r.end_reason = EndReason::kPlugin;
    r.forward.packets = 5;
    r.forward.first = 1'714'566'600'250'000'000;
    r.forward.last = r.forward.first + 2'500'000'000;
    r.application = &application;
    r.statistics = &statistics;
    return r;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    const FieldGroups groups{.tunnel = true,
                             .statistics = true,
                             .splt = true,
                             .application = true,
                             .system = true,
                             .l7_details = true,
                             .tcp_quality = true,
                             .enrichment = true};
    const auto block = std::make_unique<char[]>(size);
    if (size != 0) std::memcpy(block.get(), input, size);
    const std::string_view text(block.get(), size);

    const auto parsed = FilterExpression::parse(text, groups);
    if (!parsed) {
        const std::string& message = parsed.error().message;
        require(message.starts_with("column "), "an error tells its column");
        require(message.size() < 400, "an error is short");
        return 0;
    }
    const auto negated = FilterExpression::parse("not (" + std::string(text) + ")", groups);
    if (!negated) return 0;  // one level too deep, or too long
    for (const FlowRecord& record : {full_record(), FlowRecord{}})
        require(parsed.value().matches(record) != negated.value().matches(record),
                "a condition and its negation split all records");
    return 0;
}
