// SPDX-License-Identifier: Apache-2.0
// A collector as a table of rules: what it does with the fields, templates and
// records of a stream. Data and small functions; the table is in
// collector_profiles.cpp, who applies it is StreamVerifier.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "exporters/ipfix/reader_observer.hpp"

namespace nfstreamd::exporters::verify {

// What becomes of something, from good to bad.
enum class Outcome : std::uint8_t {
    kKept,
    kIgnored,  // as a matter of course: the collector has no use for it
    kLost,     // a part of what was measured that a reader of the collector would miss
    kMisread,  // another value arrives than was sent
    kDropped   // the whole record is not taken
};
std::string_view name(Outcome outcome) noexcept;
inline bool is_harm(Outcome outcome) noexcept {
    return outcome >= Outcome::kLost;
}

// What an exporter has told of itself, by session and observation domain.
struct DomainFacts {
    bool announces_sampling = false;
    bool has_two_rates = false;
    std::uint64_t rate = 0;  // the last one announced
    const ipfix::LearntElements* told = nullptr;
};

struct FieldView {
    int version;  // 10, 9, 5
    const ipfix::ReadTemplate& of;
    std::size_t index;
    const DomainFacts& domain;

    const ipfix::ReadField& field() const { return of.fields[index]; }
    const ipfix::ReadElement& element() const { return field().element; }
};
struct TemplateView {
    int version;
    const ipfix::ReadTemplate& of;
};
struct RecordView {
    int version;
    const ipfix::ReadTemplate& of;
    std::span<const std::span<const std::uint8_t>> values;
    const DomainFacts& domain;
};

// Why, what to set in our configuration, and where the claim is from: [run] tried with that version, [source] read in
// the collector's code, [documentation].
struct Reason {
    std::string_view why, advice, source;
};
struct FieldRule {
    bool (*applies)(const FieldView&);
    Outcome outcome;
    Reason reason;
};
struct TemplateRule {
    bool (*applies)(const TemplateView&);
    Outcome outcome;  // of each record of the template
    Reason reason;
};
struct RecordRule {
    bool (*applies)(const RecordView&);
    Outcome outcome;
    Reason reason;
};

// By what a collector tells templates apart.
enum class TemplateKey : std::uint8_t { kSourceAndDomain, kDomain };

struct CollectorProfile {
    std::string_view name, title;
    std::span<const FieldRule> fields;  // the first that applies holds; none: kept
    std::span<const TemplateRule> templates;
    std::span<const RecordRule> records;
    TemplateKey template_key = TemplateKey::kSourceAndDomain;
    std::uint32_t template_lifetime_s = 0;  // over UDP, without being sent again; 0: for ever
    bool refuses_padding = false;           // at the end of a data Set of IPFIX
    Reason key_reason{}, lifetime_reason{}, padding_reason{};
};

std::span<const CollectorProfile> collector_profiles() noexcept;
const CollectorProfile* find_collector_profile(std::string_view name) noexcept;  // null: there is none

}  // namespace nfstreamd::exporters::verify
