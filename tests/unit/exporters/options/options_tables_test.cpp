// SPDX-License-Identifier: Apache-2.0
#include "exporters/options/options_tables.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "core/record/template.hpp"
#include "exporters/options/name_options.hpp"
#include "exporters/options/sampling_options.hpp"

using namespace nfstreamd;
using namespace nfstreamd::exporters;

namespace {

std::uint64_t number(const OptionsTable& table, std::size_t row, std::size_t field) {
    return std::get<std::uint64_t>(table.rows.at(row).at(field));
}
std::string text(const OptionsTable& table, std::size_t row, std::size_t field) {
    return std::get<std::string>(table.rows.at(row).at(field));
}
std::vector<std::uint16_t> ids(const OptionsTable& table) {
    std::vector<std::uint16_t> out;
    for (const OptionsField& field : table.tmpl.fields) out.push_back(field.id);
    return out;
}

FieldSelection fields(std::initializer_list<const char*> columns) {
    FieldSelection out;
    for (const char* column : columns) out.push_back(find_field(column));
    return out;
}

}  // namespace

TEST_CASE("options_kinds: true is what suits the collector, false none, else those that are named") {
    const OptionsKinds defaults{OptionsKind::kSampling};
    CHECK(options_kinds(std::vector<std::string>{"true"}, defaults) == defaults);
    CHECK(options_kinds(std::vector<std::string>{"false"}, defaults) == OptionsKinds());
    CHECK(options_kinds(std::vector<std::string>{"flow_keys", "applications"}, defaults) ==
          OptionsKinds{OptionsKind::kFlowKeys, OptionsKind::kApplications});
    for (std::size_t i = 0; i < kOptionsKinds; ++i) {
        const auto kind = static_cast<OptionsKind>(i);
        const std::vector<std::string> word{std::string(name(kind))};
        CHECK(options_kinds(word, {}) == OptionsKinds{kind});
        CHECK(std::string(kOptionsSetting.choices).find(word[0]) != std::string::npos);
    }
}

TEST_CASE("application_id: PANA-L7-PEN with ntop's number, or user-defined of four or five octets") {
    using Octets = std::vector<std::uint8_t>;
    CHECK(application_id(91, ApplicationIdForm::kPanaL7Pen) == Octets{20, 0, 0, 0x8b, 0x30, 0, 0, 91});
    CHECK(application_id(0x123456, ApplicationIdForm::kUser4) == Octets{6, 0x12, 0x34, 0x56});
    CHECK(application_id(300, ApplicationIdForm::kUser5) == Octets{6, 0, 0, 1, 44});
    CHECK(application_id_form("user4") == ApplicationIdForm::kUser4);
    CHECK_FALSE(application_id_form("other"));
}

TEST_CASE("metering_options and exporting_options: RFC 7011's elements, with the counts of this exporter") {
    const OptionsProfile profile{.domain = 9};
    const ExportingStatistics exporting{4, 1000, 20, 300, {7, 70, 700, 1111, 2222}};
    const auto metering = metering_options(profile, exporting);
    CHECK(ids(metering) == std::vector<std::uint16_t>{149, 40, 41, 42});
    CHECK(number(metering, 0, 0) == 9);
    CHECK(number(metering, 0, 1) == 1000);
    CHECK(number(metering, 0, 2) == 20);
    CHECK(number(metering, 0, 3) == 300);
    const auto reliability = exporting_options(profile, exporting);
    CHECK(ids(reliability) == std::vector<std::uint16_t>{144, 166, 167, 168, 323, 323});
    CHECK(number(reliability, 0, 0) == 4);
    CHECK(number(reliability, 0, 1) == 7);
    CHECK(number(reliability, 0, 3) == 700);
    CHECK(number(reliability, 0, 4) == 1111);
    CHECK(number(reliability, 0, 5) == 2222);
}

TEST_CASE("sum_of: losses before an exporter and in it, from the first to the last") {
    CHECK(sum_of({1, 2, 3, 500, 600}, {10, 20, 30, 400, 550}) == LossTotals{11, 22, 33, 400, 600});
    CHECK(sum_of({}, {10, 20, 30, 400, 550}) == LossTotals{10, 20, 30, 400, 550});
    CHECK(sum_of({1, 2, 3, 500, 600}, {}) == LossTotals{1, 2, 3, 500, 600});
}

TEST_CASE("reliability_options: a row for all metering processes and one for each, both ends of the time") {
    const MeteringStatistics metering[] = {{0, 30, 3000, 100, 200}, {5, 30, 3000, 100, 200}, {6, 0, 0, 0, 0}};
    const auto table = reliability_options({.domain = 9}, metering);
    CHECK(ids(table) == std::vector<std::uint16_t>{149, 143, 164, 165, 323, 323});
    CHECK(table.tmpl.scopes == 2);
    REQUIRE(table.rows.size() == 3);
    CHECK(number(table, 1, 1) == 5);
    CHECK(number(table, 1, 2) == 30);
    CHECK(number(table, 1, 3) == 3000);
    CHECK(number(table, 1, 4) == 100);
    CHECK(number(table, 1, 5) == 200);
}

TEST_CASE("system_options: since when, and the exporter's address when it is known") {
    OptionsProfile profile{.domain = 9};
    CHECK(ids(system_options(profile, 1234)) == std::vector<std::uint16_t>{149, 160});
    CHECK(number(system_options(profile, 1234), 0, 1) == 1234);
    profile.exporter_address.version = 6;
    CHECK(ids(system_options(profile, 1234)) == std::vector<std::uint16_t>{149, 160, 131});
    profile.exporter_address.version = 4;
    CHECK(ids(system_options(profile, 1234)) == std::vector<std::uint16_t>{149, 160, 130});
}

TEST_CASE("flow_key_options: bit n-1 stands for the n-th field, wherever it is") {
    const auto selection = fields({"src2dst_packets", "src_ip", "dst_ip", "application_name", "protocol", "vlan_id"});
    CHECK(flow_key_indicator(selection) == 0b110110);
    FieldSelection many(63, find_field("src2dst_packets"));
    many.push_back(find_field("src_port"));
    many.push_back(find_field("dst_port"));  // the 65th has no bit
    CHECK(flow_key_indicator(many) == std::uint64_t{1} << 63);
    const KeyedTemplate templates[] = {{256, selection}};
    const auto table = flow_key_options({}, templates);
    CHECK(ids(table) == std::vector<std::uint16_t>{145, 173});
    CHECK(number(table, 0, 0) == 256);
    CHECK(number(table, 0, 1) == 0b110110);
}

TEST_CASE("type_options: a row for each enterprise element, RFC 5610; none for NetFlow v9") {
    const ipfix::EnterpriseElement elements[] = {{.pen = 35632,
                                                  .id = 560,
                                                  .data_type = 1,
                                                  .semantics = 4,
                                                  .units = 2,
                                                  .range_begin = 0,
                                                  .range_end = 6,
                                                  .name = "applicationConfidence",
                                                  .description = "How sure."}};
    const auto table = type_options({}, elements);
    CHECK(ids(table) == std::vector<std::uint16_t>{346, 303, 339, 344, 345, 342, 343, 341, 340});
    CHECK(table.tmpl.scopes == 2);
    REQUIRE(table.rows.size() == 1);
    CHECK(number(table, 0, 0) == 35632);
    CHECK(number(table, 0, 1) == 560);
    CHECK(number(table, 0, 2) == 1);
    CHECK(number(table, 0, 3) == 4);
    CHECK(number(table, 0, 4) == 2);
    CHECK(number(table, 0, 6) == 6);
    CHECK(text(table, 0, 7) == "applicationConfidence");
    CHECK(text(table, 0, 8) == "How sure.");
    CHECK(type_options({.protocol = OptionsProtocol::kNetflow9}, elements).rows.empty());
}

TEST_CASE("application_options and interface_options: names by number, in the forms that a collector reads") {
    const ApplicationList applications{{91, "TLS", "Web, Safe", "Web"}};
    const auto free = application_options({}, applications);
    CHECK(ids(free) == std::vector<std::uint16_t>{95, 96, 94, 372});
    CHECK(free.tmpl.fields[0].length == 8);
    CHECK(free.tmpl.fields[1].length == kVariableText);
    CHECK(text(free, 0, 1) == "TLS");
    CHECK(text(free, 0, 3) == "Web");
    const OptionsProfile simple{
        .application_id = ApplicationIdForm::kUser4, .text_length = 24, .application_category = false};
    const auto fixed = application_options(simple, applications);
    CHECK(ids(fixed) == std::vector<std::uint16_t>{95, 96, 94});
    CHECK(fixed.tmpl.fields[0].length == 4);
    CHECK(fixed.tmpl.fields[1].length == 24);
    const OptionsProfile netflow{.protocol = OptionsProtocol::kNetflow9};
    const InterfaceInfo interfaces[] = {{3, "eth0", "uplink"}};
    const auto table = interface_options(netflow, interfaces);
    CHECK(ids(table) == std::vector<std::uint16_t>{10, 82, 83});
    CHECK(table.tmpl.fields[1].length == 32);
    CHECK(number(table, 0, 0) == 3);
    CHECK(text(table, 0, 2) == "uplink");
}

TEST_CASE("sampling_options: legacy is the interval alone, and every field that tells a rate four octets") {
    PacketSelector selector{1, 11, 0, {}};
    selector.options.sampling = {SamplingMethod::kRandom, 100, 0};
    const auto options = sampling_options({.domain = 9}, {&selector, 1});
    CHECK(ids(options.interval) == std::vector<std::uint16_t>{149, 34});
    CHECK(number(options.interval, 0, 1) == 100);
    for (const auto& table : {options.sampling, options.random_sampling, options.interval})
        for (const auto& field : table.tmpl.fields)
            if (field.id == 34 || field.id == 305 || field.id == 306 || field.id == 310) CHECK(field.length == 4);
    selector.options.sampling.rate = 1;  // every packet is told, too
    CHECK(number(sampling_options({}, {&selector, 1}).interval, 0, 1) == 1);
    CHECK(sampling_options({}, {&selector, 1}).random_sampling.rows.empty());
}

TEST_CASE("options_templates: every template that may come, so that ids can be given beforehand") {
    const OptionsProfile profile{.domain = 9};
    const auto templates = options_templates(profile);
    CHECK(templates.size() == 12);
    ProcessFacts facts(1234);
    facts.set_metering({{}});
    facts.set_interfaces({{3, "eth0", ""}});
    facts.set_applications({{91, "TLS", "", ""}});
    PacketSelector selector{1, 11, 2, {}, 3};
    selector.options = {{SamplingMethod::kRandom, 100, 0}, {{"src_ip"}, 0.5, 0}, 0};
    const ipfix::EnterpriseElement element{35632, 560, 1, 0, 0, 0, 0, "applicationConfidence", "How sure."};
    const KeyedTemplate keyed{256, fields({"src_ip"})};
    const OptionsSources sources{{&element, 1}, {&keyed, 1}, {&selector, 1}, &facts, {}};
    std::size_t tables = 0;
    for (const auto& list : {options_tables(profile, false, sources), options_tables(profile, true, sources),
                             type_tables(profile, sources)})
        for (const OptionsTable& table : list) {
            ++tables;
            CHECK(std::find(templates.begin(), templates.end(), table.tmpl) != templates.end());
        }
    CHECK(tables == templates.size());
    // a kind that is off has none, and one with nothing to tell has no table
    CHECK(options_templates({.kinds = {OptionsKind::kFlowKeys}}).size() == 1);
    CHECK(options_tables({.kinds = {OptionsKind::kInterfaces}}, false, {}).empty());
    for (std::size_t a = 0; a < templates.size(); ++a)
        for (std::size_t b = 0; b < a; ++b)
            CHECK(template_specifiers(templates[a], OptionsProtocol::kIpfix) !=
                  template_specifiers(templates[b], OptionsProtocol::kIpfix));
}

TEST_CASE("ProcessFacts: another version when a table changes, and none when it is as before") {
    ProcessFacts facts;
    const auto first = facts.version();
    facts.set_interfaces({{3, "eth0", ""}});
    const auto second = facts.version();
    CHECK(second != first);
    facts.set_interfaces({{3, "eth0", ""}});
    facts.set_metering({{}});
    CHECK(facts.version() == second);
    facts.set_applications({{91, "TLS", "", ""}});
    CHECK(facts.version() != second);
    CHECK(facts.applications()->size() == 1);
}
