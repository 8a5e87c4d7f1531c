// SPDX-License-Identifier: Apache-2.0
#include "exporters/verify/stream_verifier.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "exporters/verify/predicates.hpp"

namespace nfstreamd::exporters::verify {

using ipfix::MessageHeader;
using ipfix::ReadElement;
using ipfix::ReadTemplate;

namespace {

// Bounds for what strangers can make it keep.
constexpr std::size_t kMostDomains = 1024, kMostTemplates = 20'000, kMostFindings = 10'000, kMostOwners = 20'000;

constexpr std::string_view kRecords = "records", kSets = "sets", kTimes = "times";
constexpr Reason kNoTemplate{"their template was not sent before", "template_refresh: more often", "RFC 7011, 8"};
constexpr Reason kWithdrawn{"there are no withdrawals over UDP; collectors obey, and lose what follows", "",
                            "RFC 7011, 8.4; [run] nfcapd 1.7.1"};

std::string element_name(const ipfix::ReadField& field, int version) {
    const ReadElement& element = field.element;
    if (element.v9_type != 0) return fmt::format("{} ({})", field.key, element.v9_type);
    const auto known = ipfix::known_element(element.pen, element.id);
    const std::string& name = known ? known->name : field.key;
    if (element.pen == 0 || version != 10) return fmt::format("{} ({})", name, element.id);
    return fmt::format("{} ({}/{})", name, element.pen, element.id);
}

// The same wherever it is used, so that templates of several senders can be compared.
std::string elements_text(const ReadTemplate& tmpl) {
    std::string text;
    for (const auto& field : tmpl.fields)
        fmt::format_to(std::back_inserter(text), "{}/{}/{} ", field.element.pen, field.element.id,
                       field.element.length);
    return text;
}

}  // namespace

struct StreamVerifier::KnownTemplate {
    std::size_t fields_seen = SIZE_MAX;  // of the template that was judged; SIZE_MAX: none yet
    std::vector<std::size_t> findings;   // one for each field
    std::vector<std::size_t> dropped_by;
    std::uint32_t last_sent = 0;
    bool was_sent = false;
};

struct StreamVerifier::Domain {
    DomainFacts facts;
    ipfix::LearntElements told;
    std::map<std::uint16_t, KnownTemplate> templates;
};

StreamVerifier::StreamVerifier(const CollectorProfile& profile) : profile_(profile) {}
StreamVerifier::~StreamVerifier() = default;

StreamVerifier::Domain& StreamVerifier::domain_of(const MessageHeader& header) {
    if (domains_.size() >= kMostDomains || templates_ >= kMostTemplates) {
        domains_.clear();
        templates_ = 0;
    }
    const std::string key = fmt::format("{}\n{}\n{}", header.source, header.version, header.domain);
    const auto found = domains_.find(key);
    if (found != domains_.end()) return *found->second;
    auto& domain = *domains_.emplace(key, std::make_unique<Domain>()).first->second;
    domain.facts.told = &domain.told;
    return domain;
}

StreamVerifier::KnownTemplate& StreamVerifier::template_of(Domain& domain, std::uint16_t id) {
    const auto [found, is_new] = domain.templates.try_emplace(id);
    if (is_new) ++templates_;
    return found->second;
}

void StreamVerifier::on_message(const MessageHeader&) {
    ++messages_;
}

void StreamVerifier::on_template(const MessageHeader& header, std::uint16_t id, const ReadTemplate& tmpl) {
    auto& known = template_of(domain_of(header), id);
    known.fields_seen = SIZE_MAX;
    known.last_sent = header.export_time;
    known.was_sent = true;
    if (profile_.template_key != TemplateKey::kDomain) return;
    if (template_owners_.size() >= kMostOwners) template_owners_.clear();
    const std::string elements = elements_text(tmpl);
    const auto [owner, is_new] =
        template_owners_.emplace(fmt::format("{}|{}|{}", header.version, header.domain, id), elements);
    if (is_new || owner->second == elements) return;
    owner->second = elements;
    count(Outcome::kMisread, fmt::format("template {} of domain {}", id, header.domain), kTimes, profile_.key_reason);
}

void StreamVerifier::on_withdrawal(const MessageHeader& header, std::uint16_t id) {
    if (header.is_datagram) count(Outcome::kDropped, fmt::format("withdrawal of template {}", id), kTimes, kWithdrawn);
    domain_of(header).templates.erase(id);
}

void StreamVerifier::on_unknown_set(const MessageHeader&, std::uint16_t id) {
    count(Outcome::kDropped, fmt::format("records of template {}", id), kSets, kNoTemplate);
}

void StreamVerifier::on_padding(const MessageHeader& header, std::uint16_t id, std::size_t) {
    if (profile_.refuses_padding && header.version == 10)
        count(Outcome::kDropped, fmt::format("padding of template {}", id), kSets, profile_.padding_reason);
}

void StreamVerifier::on_record(const MessageHeader& header, std::uint16_t id, const ReadTemplate& tmpl,
                               std::span<const std::span<const std::uint8_t>> values) {
    ++records_;
    Domain& domain = domain_of(header);
    const RecordView record{header.version, tmpl, values, domain.facts};
    if (tmpl.is_options) learn_facts(domain, record);
    KnownTemplate& of = template_of(domain, id);
    if (of.fields_seen != tmpl.fields.size()) judge(header, domain, tmpl, of);
    if (is_dropped(header, of, record)) return;
    for (const std::size_t index : of.findings) ++findings_[index].count;
    for (const RecordRule& rule : profile_.records)
        if (rule.outcome != Outcome::kDropped && rule.applies(record))
            count(rule.outcome, tmpl.is_options ? "options records" : "flow records", kRecords, rule.reason);
}

// Rules of fields and templates look at nothing that differs from record to record.
void StreamVerifier::judge(const MessageHeader& header, const Domain& domain, const ReadTemplate& tmpl,
                           KnownTemplate& known) {
    known.fields_seen = tmpl.fields.size();
    known.findings.clear();
    known.dropped_by.clear();
    for (std::size_t i = 0; i < tmpl.fields.size(); ++i) {
        if (tmpl.fields[i].type == ipfix::WireType::kPadding) continue;
        const FieldView field{header.version, tmpl, i, domain.facts};
        const auto rule = std::find_if(profile_.fields.begin(), profile_.fields.end(),
                                       [&](const FieldRule& r) { return r.applies(field); });
        const bool found = rule != profile_.fields.end();
        known.findings.push_back(finding(found ? rule->outcome : Outcome::kKept,
                                         element_name(tmpl.fields[i], header.version), kRecords,
                                         found ? rule->reason : Reason{}));
    }
    for (const TemplateRule& rule : profile_.templates) {
        if (!rule.applies({header.version, tmpl})) continue;
        const char* what = tmpl.is_options ? "options records" : "flow records";
        auto& where = rule.outcome == Outcome::kDropped ? known.dropped_by : known.findings;
        where.push_back(finding(rule.outcome, what, kRecords, rule.reason));
    }
}

bool StreamVerifier::is_dropped(const MessageHeader& header, const KnownTemplate& known, const RecordView& record) {
    bool dropped = false;
    for (const std::size_t index : known.dropped_by) {
        ++findings_[index].count;
        dropped = true;
    }
    if (header.is_datagram && known.was_sent && profile_.template_lifetime_s != 0 &&
        header.export_time > known.last_sent && header.export_time - known.last_sent > profile_.template_lifetime_s) {
        count(Outcome::kDropped, "flow records", kRecords, profile_.lifetime_reason);
        dropped = true;
    }
    for (const RecordRule& rule : profile_.records)
        if (rule.outcome == Outcome::kDropped && rule.applies(record)) {
            count(rule.outcome, "flow records", kRecords, rule.reason);
            dropped = true;
        }
    return dropped;
}

// Sampling (34, 50, 305 with 306) and types of elements (RFC 5610), as far as options records tell them.
void StreamVerifier::learn_facts(Domain& domain, const RecordView& record) {
    for (const std::uint16_t id : {std::uint16_t{305}, std::uint16_t{50}, std::uint16_t{34}}) {
        auto rate = value_of(record, id);
        if (!rate) continue;
        if (id == 305 && *rate > 0) *rate = (*rate + value_of(record, 306).value_or(0)) / *rate;
        domain.facts.has_two_rates =
            domain.facts.has_two_rates || (domain.facts.announces_sampling && domain.facts.rate != *rate);
        domain.facts.announces_sampling = true;
        domain.facts.rate = *rate;
        break;
    }
    const auto pen = value_of(record, 346), id = value_of(record, 303), type = value_of(record, 339);
    if (!pen || !id || !type) return;
    if (!domain.told.learn(static_cast<std::uint32_t>(*pen), static_cast<std::uint16_t>(*id), *type, "told")) return;
    for (auto& [known_id, known] : domain.templates) known.fields_seen = SIZE_MAX;
}

std::size_t StreamVerifier::finding(Outcome outcome, std::string subject, std::string_view units,
                                    const Reason& reason) {
    const auto key = [&] { return fmt::format("{}\n{}\n{}", static_cast<int>(outcome), subject, reason.why); };
    auto found = finding_of_.find(key());
    if (found == finding_of_.end() && findings_.size() >= kMostFindings) {
        subject = "others";
        found = finding_of_.find(key());
    }
    if (found != finding_of_.end()) return found->second;
    finding_of_.emplace(key(), findings_.size());
    findings_.push_back({outcome, std::move(subject), units, 0, reason});
    return findings_.size() - 1;
}

void StreamVerifier::count(Outcome outcome, std::string subject, std::string_view units, const Reason& reason) {
    ++findings_[finding(outcome, std::move(subject), units, reason)].count;
}

std::vector<Finding> StreamVerifier::findings() const {
    std::vector<Finding> sorted;
    std::copy_if(findings_.begin(), findings_.end(), std::back_inserter(sorted),
                 [](const Finding& finding) { return finding.count > 0; });
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Finding& a, const Finding& b) { return a.outcome > b.outcome; });
    return sorted;
}

bool StreamVerifier::finds_harm() const {
    return std::any_of(findings_.begin(), findings_.end(),
                       [](const Finding& finding) { return finding.count > 0 && is_harm(finding.outcome); });
}

}  // namespace nfstreamd::exporters::verify
