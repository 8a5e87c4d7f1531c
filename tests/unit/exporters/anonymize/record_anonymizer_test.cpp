// SPDX-License-Identifier: Apache-2.0
#include "exporters/anonymize/record_anonymizer.hpp"

#include <doctest/doctest.h>

#include <set>

#include "core/record/template.hpp"
#include "exporters/anonymize/anonymization_plan.hpp"
#include "tests/unit/exporters/anonymize/identifying_record.hpp"

using namespace nfstreamd;
using namespace nfstreamd::exporters;

namespace {

AnonymizationOptions options(AddressMethod addresses, MacMethod mac, TextMethod texts) {
    AnonymizationOptions made;
    made.addresses = addresses;
    made.mac = mac;
    made.texts = texts;
    if (made.needs_key()) made.key = "a key that is long enough";
    return made;
}

std::unique_ptr<RecordAnonymizer> make(const AnonymizationOptions& options) {
    auto made = RecordAnonymizer::make(options);
    REQUIRE(made);
    return std::move(made.value());
}

std::vector<AnonymizationOptions> all_options() {
    std::vector<AnonymizationOptions> all;
    for (const auto addresses : {AddressMethod::kOff, AddressMethod::kTruncate, AddressMethod::kPrefixPreserving})
        for (const auto mac : {MacMethod::kOff, MacMethod::kOui, MacMethod::kPseudonym, MacMethod::kDrop})
            for (const auto texts : {TextMethod::kKeep, TextMethod::kDrop, TextMethod::kPseudonym})
                all.push_back(options(addresses, mac, texts));
    return all;
}

// Lists are compared by what they hold, texts by a copy, as some readers reuse their room.
struct Held {
    FieldValue value;
    std::string text;
    explicit Held(FieldValue of) : value(of) {
        if (const auto* view = std::get_if<std::string_view>(&of)) text = *view, value = std::monostate{};
        if (std::holds_alternative<std::span<const std::int32_t>>(of)) value = std::monostate{};
    }
    friend bool operator==(const Held& a, const Held& b) {
        if (a.text != b.text || a.value.index() != b.value.index()) return false;
        return std::visit(
            [&](const auto& one) {
                using T = std::decay_t<decltype(one)>;
                if constexpr (std::is_same_v<T, std::span<const std::int32_t>>)
                    return true;
                else
                    return one == std::get<T>(b.value);
            },
            a.value);
    }
};

bool may_identify(IeType type) {
    return type == IeType::kString || type == IeType::kOctetArray || type == IeType::kIpAddress ||
           type == IeType::kMacAddress;
}

}  // namespace

TEST_CASE("RecordAnonymizer: a field changes exactly if the plan says so, for all settings") {
    for (const auto family : {ApplicationFamily::kTls, ApplicationFamily::kHttp, ApplicationFamily::kDns,
                              ApplicationFamily::kSsh, ApplicationFamily::kOther})
        for (const auto& each : all_options()) {
            RecordBatch batch;
            const FlowRecord clear = test::add_identifying(batch, 1, family);
            FlowRecord hidden = clear;
            Arena arena;
            make(each)->anonymize(hidden, arena);
            const AnonymizationPlan plan(each);
            for (const InformationElement& field : builtin_elements()) {
                CAPTURE(field.column);
                const Held before(field.value(clear)), after(field.value(hidden));
                const bool planned = plan.of(field).technique != AnonymizationTechnique::kNone;
                if (before.text.empty() && std::holds_alternative<std::monostate>(before.value))
                    CHECK(before == after);  // another family's
                else
                    CHECK((before == after) == !planned);
            }
        }
}

// A new field that could tell of a person comes here or into the plan.
TEST_CASE("AnonymizationPlan: every text and address of the field table is hidden or known to be harmless") {
    const std::set<std::string_view> harmless{"interface_name", "application_name", "application_category_name",
                                              "content_type",   "http_method",      "tls_alpn",
                                              "tunnel_type",    "risk_names",       "application_id"};
    const AnonymizationPlan plan(options(AddressMethod::kTruncate, MacMethod::kDrop, TextMethod::kDrop));
    for (const InformationElement& field : builtin_elements()) {
        if (!may_identify(field.type)) continue;
        CAPTURE(field.column);
        CHECK((plan.of(field).technique != AnonymizationTechnique::kNone) == !harmless.contains(field.column));
    }
}

TEST_CASE("RecordAnonymizer: the original and its blocks stay as they were") {
    RecordBatch batch;
    const FlowRecord clear = test::add_identifying(batch, 1);
    FlowRecord hidden = clear;
    Arena arena;
    make(options(AddressMethod::kTruncate, MacMethod::kDrop, TextMethod::kDrop))->anonymize(hidden, arena);
    CHECK(clear.application->details->http_url == "intranet.example/people/4711");
    CHECK(clear.tunnel->key == 0x1234);
    CHECK(clear.process->pid == 4711);
    CHECK(hidden.application->details->http_url.empty());
    CHECK(hidden.application->user_agent.empty());
    CHECK(hidden.tunnel->key == 0);
    CHECK(hidden.process->pid == -1);
    CHECK(hidden.id == clear.id);
    CHECK(hidden.source_port == clear.source_port);
    CHECK(hidden.application->name == "TLS.Example");
}

TEST_CASE("RecordAnonymizer: an address in an answer of DNS is the one of the flows to it") {
    RecordBatch batch;
    FlowRecord record = test::add_identifying(batch, 1);
    Arena arena;
    make(options(AddressMethod::kPrefixPreserving, MacMethod::kDrop, TextMethod::kPseudonym))->anonymize(record, arena);
    CHECK(record.application->details->dns_answer == to_string(record.destination_address));
    CHECK(record.application->details->dns_answer != "198.51.100.7");

    test::fill_application(record, batch.arena, ApplicationFamily::kDns);
    auto* odd = batch.arena.make(*record.application->details);
    odd->dns_answer = "no address";
    auto* application = batch.arena.make(*record.application);
    application->details = odd;
    record.application = application;
    make(options(AddressMethod::kTruncate, MacMethod::kOff, TextMethod::kKeep))->anonymize(record, arena);
    CHECK(record.application->details->dns_answer.empty());
    CHECK(record.application->details->http_url == "intranet.example/people/4711");
}

TEST_CASE("RecordAnonymizer: hardware addresses keep their vendor, or become locally administered ones") {
    RecordBatch batch;
    const FlowRecord clear = test::add_identifying(batch, 1);
    Arena arena;
    FlowRecord oui = clear, one = clear, again = clear;
    make(options(AddressMethod::kOff, MacMethod::kOui, TextMethod::kKeep))->anonymize(oui, arena);
    CHECK(to_string(oui.source_mac) == "30:52:cb:00:00:00");
    const auto pseudonym = options(AddressMethod::kOff, MacMethod::kPseudonym, TextMethod::kKeep);
    make(pseudonym)->anonymize(one, arena);
    make(pseudonym)->anonymize(again, arena);
    CHECK(one.source_mac == again.source_mac);
    CHECK(one.source_mac != one.destination_mac);
    CHECK((one.source_mac[0] & 3) == 2);

    FlowRecord group = clear;
    group.destination_mac = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    group.source_mac = {};
    make(pseudonym)->anonymize(group, arena);
    CHECK(to_string(group.destination_mac) == "ff:ff:ff:ff:ff:ff");
    CHECK(group.source_mac == MacAddress{});
}

TEST_CASE("RecordAnonymizer: pseudonyms of texts are the same for the same text, and none where there is none") {
    RecordBatch batch;
    FlowRecord one = test::add_identifying(batch, 1), other = test::add_identifying(batch, 2);
    auto* without = batch.arena.make(*other.application);
    without->user_agent = {};
    other.application = without;
    const auto anonymizer = make(options(AddressMethod::kOff, MacMethod::kOff, TextMethod::kPseudonym));
    Arena arena;
    anonymizer->anonymize(one, arena);
    anonymizer->anonymize(other, arena);
    CHECK(one.application->requested_server_name.size() == 32);
    CHECK(one.application->requested_server_name == other.application->requested_server_name);
    CHECK(one.application->requested_server_name != one.application->user_agent);
    CHECK(other.application->user_agent.empty());
}
