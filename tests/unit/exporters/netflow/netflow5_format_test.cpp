// SPDX-License-Identifier: Apache-2.0
#include "exporters/netflow/netflow5_format.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "tests/support/recording_transport.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using exporters::MessageCounts;
using exporters::MessageFormat;
using exporters::MessageQueue;
using exporters::netflow::Netflow5Format;
using exporters::netflow::Netflow5Options;

namespace {

constexpr std::int64_t kStart = 1'700'000'000'000, kMillion = 1'000'000;

std::uint64_t number(const Bytes& bytes, std::size_t at, std::size_t octets) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < octets; ++i) value = value << 8 | bytes.at(at + i);
    return value;
}

Netflow5Options options() {
    return {.engine_type = 1, .engine_id = 7, .start_ms = kStart};
}

FlowRecord flow(std::uint64_t id, bool two_way = true) {
    FlowRecord record;
    record.id = id;
    record.source_address = {{192, 0, 2, 1}, 4};
    record.destination_address = {{198, 51, 100, 2}, 4};
    record.source_port = 50000;
    record.destination_port = 443;
    record.protocol = 6;
    record.ingress_interface = 3;
    record.egress_interface = 70000;
    record.forward = {
        .first = (kStart + 5000) * kMillion, .last = (kStart + 9000) * kMillion, .packets = 10, .octets = 1000};
    record.forward.tcp_flags = 0x1b;
    record.forward.tos = 0xb8;
    if (two_way)
        record.reverse = {
            .first = (kStart + 6000) * kMillion, .last = (kStart + 8000) * kMillion, .packets = 20, .octets = 2000};
    return record;
}

struct Sender {
    Netflow5Format format;
    MessageQueue queue;
    std::uint32_t sequence = 0;
    std::vector<Bytes> messages;

    explicit Sender(const Netflow5Options& o = options()) : format(o), queue(format.framing(), format.max_message()) {}

    MessageFormat::Added add(const FlowRecord& record) {
        for (;;) {
            const auto added = format.add(record, queue);
            if (added == MessageFormat::Added::kTaken) {
                MessageCounts& message = queue.under_way();
                const std::int64_t first = record.first() / kMillion;
                message.earliest_ms = message.records++ == 0 ? first : std::min(message.earliest_ms, first);
                message.latest_ms = std::max<std::int64_t>(message.latest_ms, record.last() / kMillion);
            }
            if (added != MessageFormat::Added::kNoRoom) return added;
            REQUIRE(queue.is_under_way());
            queue.end_message();
        }
    }
    const std::vector<Bytes>& finish(std::int64_t now_ms = kStart + 10'250) {
        queue.end_message();
        for (std::size_t i = 0; i < queue.messages().size(); ++i) {
            const auto message = queue.message(i);
            format.stamp(message, queue.messages()[i],
                         std::chrono::system_clock::time_point(std::chrono::milliseconds(now_ms)), sequence);
            sequence += format.sequence_step(queue.messages()[i]);
            messages.emplace_back(message.begin(), message.end());
        }
        return messages;
    }
};

}  // namespace

TEST_CASE("NetFlow 5: header and both directions of a flow stand where the protocol has them") {
    Sender sender;
    CHECK(sender.add(flow(1)) == MessageFormat::Added::kTaken);
    const auto& messages = sender.finish();
    REQUIRE(messages.size() == 1);
    const Bytes& m = messages[0];
    REQUIRE(m.size() == 24 + 2 * 48);
    CHECK(number(m, 0, 2) == 5);
    CHECK(number(m, 2, 2) == 2);
    CHECK(number(m, 4, 4) == 10'250);
    CHECK(number(m, 8, 4) == kStart / 1000 + 10);
    CHECK(number(m, 12, 4) == 250'000'000);
    CHECK(number(m, 16, 4) == 0);
    CHECK(number(m, 20, 2) == 0x0107);
    CHECK(number(m, 22, 2) == 0);
    CHECK(number(m, 24, 4) == 0xc0000201);
    CHECK(number(m, 28, 4) == 0xc6336402);
    CHECK(number(m, 32, 4) == 0);  // next hop
    CHECK(number(m, 36, 2) == 3);
    CHECK(number(m, 38, 2) == 0);  // an index that 16 bits do not hold
    CHECK(number(m, 40, 4) == 10);
    CHECK(number(m, 44, 4) == 1000);
    CHECK(number(m, 48, 4) == 5000);
    CHECK(number(m, 52, 4) == 9000);
    CHECK(number(m, 56, 2) == 50000);
    CHECK(number(m, 58, 2) == 443);
    CHECK(number(m, 61, 1) == 0x1b);
    CHECK(number(m, 62, 1) == 6);
    CHECK(number(m, 63, 1) == 0xb8);
    CHECK(number(m, 64, 8) == 0);
    CHECK(number(m, 72, 4) == 0xc6336402);
    CHECK(number(m, 76, 4) == 0xc0000201);
    CHECK(number(m, 84, 2) == 0);
    CHECK(number(m, 86, 2) == 3);
    CHECK(number(m, 88, 4) == 20);
    CHECK(number(m, 104, 2) == 443);
}

TEST_CASE("NetFlow 5: numbers of autonomous systems, where they are known, are those of the record's own ends") {
    Sender sender;
    FlowRecord record = flow(1);
    EnrichmentRecord enrichment;
    enrichment.source.asn = 64500;
    enrichment.destination.asn = 4'200'000'000;
    record.enrichment = &enrichment;
    CHECK(sender.add(record) == MessageFormat::Added::kTaken);
    const auto& messages = sender.finish();
    REQUIRE(messages.size() == 1);
    CHECK(number(messages[0], 64, 2) == 64500);
    CHECK(number(messages[0], 66, 2) == 23456);
    CHECK(number(messages[0], 112, 2) == 23456);
    CHECK(number(messages[0], 114, 2) == 64500);
}

TEST_CASE("NetFlow 5: a message has 30 records at most and what fits, the sequence counts records") {
    for (const std::size_t most : {std::size_t{1372}, std::size_t{9000}}) {
        Netflow5Options o = options();
        o.max_message = most;
        Sender sender(o);
        for (std::uint64_t id = 1; id <= 50; ++id) CHECK(sender.add(flow(id)) == MessageFormat::Added::kTaken);
        std::uint64_t records = 0;
        for (const Bytes& message : sender.finish()) {
            CHECK(number(message, 16, 4) == records);
            records += number(message, 2, 2);
            CHECK(number(message, 2, 2) <= 30);
            CHECK(message.size() == 24 + 48 * number(message, 2, 2));
            CHECK(message.size() <= most);
        }
        CHECK(records == 100);
    }
}

TEST_CASE("NetFlow 5: counters of more than 32 bits are split, never wrapped, over as many messages as it takes") {
    for (const std::uint64_t octets : {0xffff'ffffull, 0x1'0000'0000ull, 5'000'000'000ull, 2'500'000'000'000ull}) {
        CAPTURE(octets);
        Sender sender;
        FlowRecord record = flow(1);
        record.forward.octets = octets;
        record.reverse.packets = 9'000'000'000ull;
        CHECK(sender.add(record) == MessageFormat::Added::kTaken);
        CHECK(sender.add(flow(2)) == MessageFormat::Added::kTaken);
        std::uint64_t sent = 0, back = 0, records = 0;
        for (const Bytes& message : sender.finish()) {
            CHECK(number(message, 16, 4) == records);
            records += number(message, 2, 2);
            for (std::size_t at = 24; at < message.size(); at += 48) {
                const bool forward = number(message, at, 4) == 0xc0000201;
                if (forward) sent += number(message, at + 20, 4);
                if (!forward) back += number(message, at + 16, 4);
                CHECK(number(message, at + 24, 4) == (forward ? 5000 : 6000));
            }
        }
        CHECK(sent == octets + 1000);
        CHECK(back == 9'000'000'020ull);
        CHECK(sender.queue.messages().back().records >= 1);
    }
}

TEST_CASE("NetFlow 5: IPv6 is not supported, ICMP has type and code as its port") {
    Sender sender;
    FlowRecord six = flow(1);
    six.source_address.version = 6;
    CHECK(sender.add(six) == MessageFormat::Added::kUnsupported);
    FlowRecord icmp = flow(2, false);
    icmp.protocol = 1;
    icmp.destination_port = 0;
    icmp.forward.icmp_type = 8;
    icmp.forward.icmp_code = 1;
    CHECK(sender.add(icmp) == MessageFormat::Added::kTaken);
    const auto& messages = sender.finish();
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].size() == 24 + 48);
    CHECK(number(messages[0], 58, 2) == 0x0801);
}

TEST_CASE("NetFlow 5: flows of an old capture have the header of their own time, far apart ones their own message") {
    Sender sender;
    FlowRecord old = flow(1, false), later = flow(2, false);
    const std::int64_t year = 365ll * 86'400'000 * kMillion;
    old.forward.first -= 9 * year;
    old.forward.last -= 9 * year;
    later.forward.first -= 8 * year;
    later.forward.last -= 8 * year;
    CHECK(sender.add(old) == MessageFormat::Added::kTaken);
    CHECK(sender.add(later) == MessageFormat::Added::kTaken);
    const auto& messages = sender.finish();
    REQUIRE(messages.size() == 2);
    const FlowRecord* records[] = {&old, &later};
    for (std::size_t i = 0; i < 2; ++i) {
        const Bytes& m = messages[i];
        const auto header = static_cast<std::int64_t>(number(m, 8, 4) * 1000 + number(m, 12, 4) / 1'000'000);
        const auto first = header - static_cast<std::int64_t>(number(m, 4, 4) - number(m, 48, 4));
        CHECK(number(m, 48, 4) <= number(m, 4, 4));  // for collectors that know no wrap
        CHECK(first == static_cast<std::int64_t>(records[i]->forward.first) / kMillion);
    }
}
