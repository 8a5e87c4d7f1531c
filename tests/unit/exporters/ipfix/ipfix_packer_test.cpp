// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/ipfix_packer.hpp"

#include <doctest/doctest.h>

#include "tests/unit/exporters/ipfix/sample.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

IpfixOptions options(std::uint16_t max_message = kFileMessage) {
    IpfixOptions made;
    made.fields = ipfix_fields(made.groups, kOurPen);
    made.options.kinds = {OptionsKind::kSampling};
    made.observation_domain = 42;
    made.max_message = max_message;
    return made;
}

std::shared_ptr<PackedFormat> format(const IpfixOptions& from) {
    static test::CapturedLog log;
    auto made = PackedFormat::make(from, "out", log.logger());
    REQUIRE(made);
    return made.value();
}

std::span<const std::uint8_t> octets(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Counters of a reader that knows this message alone.
ReaderCounters read(const std::string& message) {
    MessageReader reader([](std::string_view) {});
    reader.feed_datagram(octets(message), "one");
    return reader.counters();
}

TEST_CASE("IpfixPacker: each message can be read alone, whatever kinds of records it has") {
    IpfixPacker packer(format(options()), 4);
    for (int round = 0; round < 2; ++round) {
        REQUIRE(packer.add(test::sample(1, 4, true)));
        REQUIRE(packer.add(test::sample(2, 6, true)));
        REQUIRE(packer.add(test::sample(3, 4, false)));
        CHECK_FALSE(packer.ready());
        REQUIRE(packer.add(test::sample(4, 4, true)));
        REQUIRE(packer.ready());
        PackedMessage message;
        packer.take(message);
        CHECK(packer.empty());
        CHECK(message.records == 4);
        CHECK(message.data_records == 4);
        const auto counters = read(message.payload);
        CHECK(counters.records == 4);
        CHECK(counters.templates == 3);
        CHECK(counters.sets_without_template == 0);
        CHECK(counters.malformed == 0);
    }
}

TEST_CASE("IpfixPacker: sequence numbers run on through the messages of all packers of an exporter") {
    const auto shared = format(options());
    IpfixPacker one(shared, 10), other(shared, 10);
    MessageReader reader([](std::string_view) {});
    for (std::uint64_t i = 0; i < 30; ++i) {
        IpfixPacker& packer = i % 3 == 0 ? one : other;
        REQUIRE(packer.add(test::sample(i)));
        if (!packer.ready()) continue;
        PackedMessage message;
        packer.take(message);
        reader.feed_datagram(octets(message.payload), "all");
    }
    CHECK(reader.counters().records == 30);
    CHECK(reader.counters().sequence_gaps == 0);
}

TEST_CASE("IpfixPacker: no message is longer than told, and no record is lost between two") {
    IpfixPacker packer(format(options(6000)), 1000);
    std::uint64_t records = 0, messages = 0;
    const auto take = [&] {
        PackedMessage message;
        packer.take(message);
        CHECK(message.payload.size() <= 6000);
        CHECK(read(message.payload).records == message.records);
        records += message.records;
        ++messages;
    };
    for (std::uint64_t i = 0; i < 200; ++i) {
        REQUIRE(packer.add(test::sample(i, i % 5 == 0 ? 6 : 4, i % 3 != 0)));
        if (packer.ready()) take();
    }
    while (!packer.empty()) take();
    CHECK(records == 200);
    CHECK(messages > 10);
    CHECK(messages < 100);
}

TEST_CASE("IpfixPacker: without biflows both halves of a flow are in one message") {
    IpfixOptions uniflow = options();
    uniflow.biflow = false;
    IpfixPacker packer(format(uniflow), 1);
    REQUIRE(packer.add(test::sample(1)));
    PackedMessage message;
    packer.take(message);
    CHECK(message.records == 1);
    CHECK(message.data_records == 2);
    CHECK(read(message.payload).records == 2);
}

TEST_CASE("IpfixPacker: each message tells how packets were selected") {
    auto selectors = std::make_shared<SelectorList>();
    PacketSelector selector{};
    selector.id = 7;
    selectors->add(selector);
    IpfixOptions with = options();
    with.selectors = selectors;
    IpfixPacker packer(format(with), 1);
    for (int i = 0; i < 2; ++i) {
        REQUIRE(packer.add(test::sample(1)));
        PackedMessage message;
        packer.take(message);
        const auto counters = read(message.payload);
        CHECK(counters.options_records > 0);
        CHECK(counters.records == counters.options_records + 1);
        CHECK(counters.malformed == 0);
        CHECK(message.data_records == counters.records);
    }
}

TEST_CASE("PackedFormat: a message that is too short for a record and its template is an error") {
    test::CapturedLog log;
    const auto made = PackedFormat::make(options(1000), "out", log.logger());
    REQUIRE_FALSE(made);
    CHECK(made.error().message.find("max_message_size") != std::string::npos);
}

}  // namespace
}  // namespace nfstreamd::exporters::ipfix
