// SPDX-License-Identifier: Apache-2.0
// A reader whose lines are looked at, with the profile of a collector as its
// observer: what the fuzzers of IPFIX and NetFlow share.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "exporters/ipfix/message_reader.hpp"
#include "exporters/verify/verify_report.hpp"

namespace nfstreamd::fuzz {

inline void require(bool promise, const char* words) {
    if (promise) return;
    std::fprintf(stderr, "broken promise: %s\n", words);
    std::abort();
}

// Octets in a block of exactly their size, so that AddressSanitizer sees one too far.
class HeapBlock {
public:
    explicit HeapBlock(std::span<const std::uint8_t> octets)
        : size_(octets.size()), block_(std::make_unique<std::uint8_t[]>(octets.size())) {
        if (size_ != 0) std::memcpy(block_.get(), octets.data(), size_);
    }
    std::span<const std::uint8_t> octets() const { return {block_.get(), size_}; }

private:
    std::size_t size_;
    std::unique_ptr<std::uint8_t[]> block_;
};

// Whether quotes are closed, brackets match and nothing in it is a control character or broken UTF-8.
inline bool is_json_object(std::string_view line) {
    std::string open;
    bool in_text = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (static_cast<unsigned char>(c) < 0x20) return false;
        if (in_text) {
            if (c == '\\') ++i;
            if (c == '"') in_text = false;
        } else if (c == '"') {
            in_text = true;
        } else if (c == '{' || c == '[') {
            open += c;
        } else if (c == '}' || c == ']') {
            if (open.empty() || open.back() != (c == '}' ? '{' : '[')) return false;
            open.pop_back();
            if (open.empty()) return i + 1 == line.size();
        }
    }
    return false;
}

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
