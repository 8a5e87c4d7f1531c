// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/ipfix/anonymization_options.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "exporters/options/options_writer.hpp"
#include "tests/unit/exporters/ipfix/sample.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using namespace nfstreamd::exporters;
using namespace nfstreamd::exporters::ipfix;

namespace {

AnonymizationPlan plan(AddressMethod addresses, MacMethod mac, TextMethod texts) {
    AnonymizationOptions options;
    options.addresses = addresses;
    options.mac = mac;
    options.texts = texts;
    return AnonymizationPlan(options);
}

struct Templates {
    RecordLayout v4, v6;
    std::vector<SessionTemplate> all{{256, &v4}, {257, &v6}};

    Templates() : v4(layout(4)), v6(layout(6)) {}
    static RecordLayout layout(int ip_version) {
        const FieldGroups groups = all_groups();
        return {ipfix_fields(groups, kTestPen), ip_version, true, groups, kTestPen};
    }
};

bool has(const std::vector<AnonymizedElement>& elements, AnonymizedElement element) {
    return std::find(elements.begin(), elements.end(), element) != elements.end();
}

}  // namespace

TEST_CASE("anonymized_elements: each template tells of its own elements, what is clear is not told of") {
    const Templates templates;
    const auto elements = anonymized_elements(
        templates.all, plan(AddressMethod::kPrefixPreserving, MacMethod::kPseudonym, TextMethod::kDrop));
    CHECK(has(elements, {256, {0, 8}, 2, 6}));    // sourceIPv4Address: structured permutation
    CHECK(has(elements, {257, {0, 28}, 2, 6}));   // destinationIPv6Address
    CHECK(has(elements, {256, {0, 56}, 2, 5}));   // sourceMacAddress: permutation
    CHECK(has(elements, {257, {0, 468}, 3, 2}));  // httpUserAgent: nothing is left, always
    CHECK(has(elements, {256, {35632, 188}, 3, 2}));
    CHECK(std::none_of(elements.begin(), elements.end(), [](const auto& element) {
        return (element.template_id == 257 && element.ie == IeId{0, 8}) || element.ie == IeId{0, 7} ||
               element.ie == IeId{0, 96};
    }));
    const auto truncated =
        anonymized_elements(templates.all, plan(AddressMethod::kTruncate, MacMethod::kOff, TextMethod::kKeep));
    CHECK(truncated.size() == 4);
    CHECK(has(truncated, {257, {0, 27}, 3, 2}));
}

TEST_CASE("anonymization_table: a reader finds a record for each element") {
    const Templates templates;
    const auto hidden = plan(AddressMethod::kTruncate, MacMethod::kDrop, TextMethod::kPseudonym);
    const auto elements = anonymized_elements(templates.all, hidden);
    std::vector<Bytes> messages;
    std::size_t data_records = 0;
    const std::vector<OptionsTable> tables{anonymization_table(elements)};
    for (auto& message : options_messages(
             {OptionsProtocol::kIpfix, 9, 100}, [](const OptionsTemplate&) { return 280; }, tables)) {
        CHECK(message.bytes.size() <= 100);
        data_records += message.data_records;
        messages.push_back(std::move(message.bytes));
    }
    CHECK(data_records == elements.size());
    CHECK(messages.size() == 1 + (elements.size() + 5) / 6);
    ReaderCounters counters;
    const auto lines = read_all(messages, &counters);
    CHECK(counters.malformed == 0);
    CHECK(counters.sets_without_template == 0);
    REQUIRE(lines.size() == elements.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        auto line = lines[i];
        CHECK(line["templateId"] == std::to_string(elements[i].template_id));
        CHECK(line["informationElementId"] == std::to_string(elements[i].ie.id));
        CHECK(line["privateEnterpriseNumber"] == std::to_string(elements[i].ie.pen));
        CHECK(line["anonymizationFlags"] == std::to_string(elements[i].flags));
        CHECK(line["anonymizationTechnique"] == std::to_string(elements[i].technique));
        CHECK(line.contains("_options"));
    }
}
#endif
