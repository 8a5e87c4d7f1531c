// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/anonymization_options.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>

namespace nfstreamd::exporters::ipfix {
namespace {

constexpr std::uint16_t kVersion = 10, kOptionsTemplateSet = 3;

struct Field {
    std::uint16_t id, length;
};
// An element that a template has twice is treated alike in both places, so that
// there is no informationElementIndex.
constexpr std::array<Field, 5> kFields{{{145, 2}, {303, 2}, {346, 4}, {285, 2}, {286, 2}}};
constexpr std::uint16_t kScopes = 3;
constexpr std::size_t kRecord = std::accumulate(kFields.begin(), kFields.end(), std::size_t{0},
                                                [](std::size_t sum, const Field& field) { return sum + field.length; });

void put(std::vector<std::uint8_t>& out, std::uint64_t value, std::size_t length) {
    for (std::size_t i = length; i > 0; --i) out.push_back(static_cast<std::uint8_t>(value >> 8 * (i - 1)));
}

// A message with one Set, whose content is appended before end().
OptionsMessage begin(std::uint16_t set, std::uint32_t domain) {
    OptionsMessage message;
    put(message.bytes, kVersion, 2);
    message.bytes.resize(message.bytes.size() + 2 + 4 + 4);  // length, export time, sequence number
    put(message.bytes, domain, 4);
    put(message.bytes, set, 2);
    put(message.bytes, 0, 2);
    return message;
}

void end(OptionsMessage& message) {
    const auto put_length = [&](std::size_t at, std::size_t length) {
        message.bytes[at] = static_cast<std::uint8_t>(length >> 8);
        message.bytes[at + 1] = static_cast<std::uint8_t>(length);
    };
    put_length(2, message.bytes.size());
    put_length(kMessageHeader + 2, message.bytes.size() - kMessageHeader);
}

OptionsMessage template_message(std::uint32_t domain) {
    OptionsMessage message = begin(kOptionsTemplateSet, domain);
    put(message.bytes, kAnonymizationOptions, 2);
    put(message.bytes, kFields.size(), 2);
    put(message.bytes, kScopes, 2);
    for (const Field& field : kFields) {
        put(message.bytes, field.id, 2);
        put(message.bytes, field.length, 2);
    }
    end(message);
    return message;
}

OptionsMessage data_message(std::span<const AnonymizedElement> elements, std::uint32_t domain) {
    OptionsMessage message = begin(kAnonymizationOptions, domain);
    for (const AnonymizedElement& element : elements) {
        const std::array<std::uint64_t, kFields.size()> values{element.template_id, element.ie.id, element.ie.pen,
                                                               element.flags, element.technique};
        for (std::size_t i = 0; i < values.size(); ++i) put(message.bytes, values[i], kFields[i].length);
    }
    message.data_records = static_cast<std::uint32_t>(elements.size());
    end(message);
    return message;
}

}  // namespace

std::vector<AnonymizedElement> anonymized_elements(std::span<const SessionTemplate> templates,
                                                   const AnonymizationPlan& plan) {
    std::vector<AnonymizedElement> elements;
    for (const SessionTemplate& tmpl : templates)
        for (const FieldPlan& field : tmpl.layout->fields()) {
            const FieldAnonymization how = plan.of(*field.field);
            if (how.technique == AnonymizationTechnique::kNone) continue;
            const AnonymizedElement element{tmpl.id, field.ie, static_cast<std::uint16_t>(how.stability),
                                            static_cast<std::uint16_t>(how.technique)};
            if (std::find(elements.begin(), elements.end(), element) == elements.end()) elements.push_back(element);
        }
    return elements;
}

std::vector<OptionsMessage> anonymization_options(std::span<const SessionTemplate> templates,
                                                  const AnonymizationPlan& plan, std::uint32_t domain,
                                                  std::size_t max_message) {
    assert(max_message >= kMessageHeader + kSetHeader + kRecord);
    const auto elements = anonymized_elements(templates, plan);
    if (elements.empty()) return {};
    const std::size_t at_once = (max_message - kMessageHeader - kSetHeader) / kRecord;
    std::vector<OptionsMessage> messages{template_message(domain)};
    for (std::size_t i = 0; i < elements.size(); i += at_once)
        messages.push_back(
            data_message(std::span(elements).subspan(i, std::min(at_once, elements.size() - i)), domain));
    return messages;
}

}  // namespace nfstreamd::exporters::ipfix
