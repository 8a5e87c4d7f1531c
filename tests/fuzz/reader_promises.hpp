// SPDX-License-Identifier: Apache-2.0
// A reader whose lines are looked at, with the profile of a collector as its
// observer: what the fuzzers of IPFIX and NetFlow share.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "exporters/ipfix/message_reader.hpp"
#include "exporters/verify/verify_report.hpp"
#include "tests/fuzz/promises.hpp"

namespace nfstreamd::fuzz {

class ObservedReader {
public:
    explicit ObservedReader(std::uint8_t choice)
        : verifier(exporters::verify::collector_profiles()[choice % exporters::verify::collector_profiles().size()]),
          reader(
              [this](std::string_view line) {
                  require(is_json_object(line), "a line is one object");
                  ++lines;
              },
              32473, &verifier) {}

    void check() const {
        require(lines == reader.counters().records, "each record is a line");
        require(verifier.records() == lines, "the observer saw each record");
        require(reader.counters().options_records <= lines, "options records are records");
        require(!report_text(verifier).empty(), "there is a report");
        const std::string all = report_json(verifier);
        std::string_view json = all;
        while (!json.empty()) {
            const auto end = json.find('\n');
            require(is_json_object(json.substr(0, end)), "the report's lines are objects");
            json.remove_prefix(end + 1);
        }
    }

    std::uint64_t lines = 0;
    exporters::verify::StreamVerifier verifier;
    exporters::ipfix::MessageReader reader;
};

}  // namespace nfstreamd::fuzz
