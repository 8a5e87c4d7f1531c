// SPDX-License-Identifier: Apache-2.0
#include "exporters/options/options_writer.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace nfstreamd;
using namespace nfstreamd::exporters;

namespace {

using Bytes = std::vector<std::uint8_t>;

std::uint64_t number(const Bytes& bytes, std::size_t at, std::size_t octets) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < octets; ++i) value = value << 8 | bytes.at(at + i);
    return value;
}

OptionsTemplate names() {
    return {.name = "names", .fields = {{10, 4}, {82, kVariableText}}};
}
OptionsTemplate fixed_names() {
    return {.name = "fixed", .fields = {{10, 4}, {82, 5}}};
}

std::uint16_t id_of(const OptionsTemplate& tmpl) {
    return tmpl.name == "names" ? 300 : 301;
}

OptionsWire ipfix(std::size_t most = 1000) {
    return {OptionsProtocol::kIpfix, 9, most};
}
OptionsWire netflow(std::size_t most = 1000) {
    return {OptionsProtocol::kNetflow9, 7, most};
}

}  // namespace

TEST_CASE("OptionsWriter: an IPFIX options template is Set 3 with the count of fields, then that of scopes") {
    OptionsWriter writer(ipfix(), id_of);
    OptionsTemplate tmpl{
        .name = "names", .fields = {{149, 4}, {143, 4}, {5, 2, 32473}, {323, 8}, {323, 8}}, .scopes = 2};
    writer.add_template(tmpl);
    const auto messages = writer.take();
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].data_records == 0);
    const Bytes expected{0, 10,   0, 50, 0, 0,  0, 0,    0,    0, 0,  0,   0, 0, 0,  9,  // header
                         0, 3,    0, 34, 1, 44, 0, 5,    0,    2, 0,  149, 0, 4, 0,  143, 0,
                         4, 0x80, 5, 0,  2, 0,  0, 0x7e, 0xd9, 1, 67, 0,   8, 1, 67, 0,   8};
    CHECK(messages[0].bytes == Bytes(expected));
    CHECK(template_specifiers(tmpl, OptionsProtocol::kIpfix) == Bytes(expected.begin() + 22, expected.end()));
}

TEST_CASE("OptionsWriter: strings have a prefix of one octet below 255, of three from there on") {
    for (const std::size_t length : {std::size_t{0}, std::size_t{254}, std::size_t{255}, std::size_t{700}}) {
        OptionsWriter writer(ipfix(), id_of);
        REQUIRE(writer.add_row(names(), {std::uint64_t{3}, std::string(length, 'x')}));
        const Bytes bytes = writer.take().at(0).bytes;
        const std::size_t prefix = length < 255 ? 1 : 3;
        CHECK(bytes.size() == 16 + 4 + 4 + prefix + length);
        if (prefix == 3) CHECK(number(bytes, 24, 1) == 255);
        CHECK(number(bytes, prefix == 1 ? 24 : 25, prefix == 1 ? 1 : 2) == length);
    }
}

TEST_CASE("OptionsWriter: a text that no message can hold is shortened, and the row is there") {
    OptionsWriter writer(ipfix(200), id_of);
    REQUIRE(writer.add_row(names(), {std::uint64_t{3}, std::string(70000, 'x')}));
    const Bytes bytes = writer.take().at(0).bytes;
    CHECK(number(bytes, 24, 1) == 48);
    CHECK(bytes.size() == 16 + 4 + 4 + 1 + 48);
}

TEST_CASE("OptionsWriter: fixed texts are cut at a whole character or padded with zeros, and always UTF-8") {
    const auto text = [](std::string value) {
        OptionsWriter writer(ipfix(), id_of);
        REQUIRE(writer.add_row(fixed_names(), {std::uint64_t{3}, std::move(value)}));
        const Bytes bytes = writer.take().at(0).bytes;
        return std::string(bytes.begin() + 24, bytes.end());
    };
    CHECK(text("eth0") == std::string("eth0\0", 5));
    CHECK(text("ethernet") == "ether");
    CHECK(text("abcd\u00fc") == std::string("abcd\0", 5));
    CHECK(text("a\xff\xfe"
               "b") == std::string("ab\0\0\0", 5));
}

TEST_CASE("OptionsWriter: numbers saturate, floats take the length of their field, addresses and octets theirs") {
    OptionsWriter writer(ipfix(), id_of);
    const OptionsTemplate tmpl{.name = "names", .fields = {{1, 2}, {2, 4}, {3, 8}, {4, 16}, {5, 4}, {6, 3}, {7, 6}}};
    IpAddress v4;
    v4.version = 4;
    v4.bytes = {192, 0, 2, 1};
    REQUIRE(
        writer.add_row(tmpl, {std::uint64_t{70000}, 0.5, 0.5, v4, v4, Bytes{1, 2, 3}, MacAddress{6, 5, 4, 3, 2, 1}}));
    const Bytes bytes = writer.take().at(0).bytes;
    CHECK(number(bytes, 20, 2) == 65535);
    CHECK(number(bytes, 22, 4) == 0x3f000000);
    CHECK(number(bytes, 26, 8) == 0x3fe0000000000000);
    CHECK(number(bytes, 34, 8) == 0);
    CHECK(number(bytes, 42, 8) == 0xffffc0000201);
    CHECK(number(bytes, 50, 4) == 0xc0000201);
    CHECK(number(bytes, 54, 3) == 0x010203);
    CHECK(number(bytes, 57, 6) == 0x060504030201);
}

TEST_CASE(
    "OptionsWriter: rows of one template share a Set unless they are to be alone, templates and data no message") {
    OptionsWriter writer(ipfix(), id_of);
    OptionsTemplate alone = fixed_names();
    alone.alone = true;
    writer.add_template(names());
    writer.add_template(alone);
    for (std::uint64_t i = 0; i < 3; ++i) REQUIRE(writer.add_row(names(), {i, std::string("a")}));
    for (std::uint64_t i = 0; i < 2; ++i) REQUIRE(writer.add_row(alone, {i, std::string("a")}));
    const auto messages = writer.take();
    REQUIRE(messages.size() == 2);
    CHECK(messages[0].data_records == 0);
    CHECK(messages[1].data_records == 5);
    const Bytes& data = messages[1].bytes;
    CHECK(number(data, 2, 2) == data.size());
    CHECK(number(data, 16, 2) == 300);
    CHECK(number(data, 18, 2) == 4 + 3 * 6);
    CHECK(number(data, 38, 2) == 301);
    CHECK(number(data, 40, 2) == 4 + 9);
    CHECK(number(data, 51, 2) == 301);
    CHECK(data.size() == 51 + 13);
}

TEST_CASE("OptionsWriter: NetFlow v9 has the lengths of scopes and options, its scopes, counts and FlowSets of words") {
    OptionsWriter writer(netflow(), id_of);
    const OptionsTemplate keys{
        .name = "names", .fields = {{145, 2}, {173, 8}}, .netflow_scope = NetflowScope::kTemplate};
    const OptionsTemplate domain{.name = "fixed", .fields = {{149, 4}, {34, 4}, {35, 1}}};
    const OptionsTemplate interface = fixed_names();
    writer.add_template(keys);
    writer.add_template(domain);
    writer.add_template(interface);
    REQUIRE(writer.add_row(interface, {std::uint64_t{3}, std::string("eth0")}));
    const auto messages = writer.take();
    REQUIRE(messages.size() == 2);
    const Bytes& templates = messages[0].bytes;
    CHECK(number(templates, 0, 2) == 9);
    CHECK(number(templates, 2, 2) == 3);  // records
    CHECK(number(templates, 16, 4) == 7);
    const Bytes sets(templates.begin() + 20, templates.end());
    CHECK(sets == Bytes{0, 1, 0, 20, 1, 44, 0, 4, 0, 4, 0, 5, 0, 2, 0, 173, 0, 8, 0, 0,               // Template
                        0, 1, 0, 24, 1, 45, 0, 4, 0, 8, 0, 1, 0, 4, 0, 34,  0, 4, 0, 35, 0, 1, 0, 0,  // System
                        0, 1, 0, 24, 1, 45, 0, 4, 0, 8, 0, 1, 0, 4, 0, 10,  0, 4, 0, 82, 0, 5, 0, 0});
    const Bytes& data = messages[1].bytes;
    CHECK(number(data, 2, 2) == 1);
    const Bytes set(data.begin() + 20, data.end());
    // the source is the scope; padding to a multiple of four
    CHECK(set == Bytes{1, 45, 0, 20, 0, 0, 0, 7, 0, 0, 0, 3, 'e', 't', 'h', '0', 0, 0, 0, 0});
}

TEST_CASE("OptionsPager: gives as many messages as are asked for, and every row once in its order") {
    OptionsTable table{names(), {}}, other{fixed_names(), {}};
    for (std::uint64_t i = 0; i < 100; ++i) table.rows.push_back({i, std::string("application")});
    other.rows.push_back({std::uint64_t{100}, std::string("last")});
    for (const auto& wire : {ipfix(150), netflow(150)}) {
        if (wire.protocol == OptionsProtocol::kNetflow9) table.tmpl.fields[1].length = 12;
        OptionsPager pager(wire, id_of, {table, other});
        std::uint64_t next = 0;
        std::size_t calls = 0;
        bool templates_seen = false;
        while (!pager.done()) {
            REQUIRE(++calls < 100);
            const auto messages = pager.next(2);
            REQUIRE(!messages.empty());
            CHECK(messages.size() <= 2);
            for (const auto& message : messages) {
                CHECK(message.bytes.size() <= 150);
                templates_seen = templates_seen || message.data_records == 0;
                next += message.data_records;
            }
        }
        CHECK(templates_seen);
        CHECK(next == 101);
        CHECK(calls > 5);
        CHECK(pager.next(2).empty());
    }
    CHECK(OptionsPager().done());
    CHECK(OptionsPager(ipfix(), id_of, {}).done());
}
