// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_IPFIX
#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <fstream>
#include <iterator>

#include "exporters/ipfix/ipfix_type.hpp"
#include "tests/support/exporter_settings.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/exporters/ipfix/sample.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using config::Settings;

namespace {

using Strings = std::vector<std::string>;

struct Made {
    Settings settings = default_settings("ipfix");
    CapturedLog log;
    Result<std::unique_ptr<Exporter>> exporter = Error{};

    Made(const Strings& collectors, const std::string& path, const Strings& fields = {}, bool append = false)
        : settings(default_settings("ipfix")) {
        const auto set = [&](const char* name, config::SettingValue value) {
            settings.set(name, std::move(value), "test.yaml:1:1", true);
        };
        set("collectors", collectors);
        set("path", path);
        set("append", append);
        set("options", Strings{"sampling"});
        set("fields", fields);
        exporter = exporters::kIpfixExporterType.make({.name = "main",
                                                       .settings = settings,
                                                       .groups = all_groups(),
                                                       .private_enterprise_number = 0,
                                                       .observation_domain = 77,
                                                       .logger = log.logger()});
    }
};

std::size_t write_out(Exporter& exporter, const RecordBatch& batch) {
    std::size_t consumed = 0;
    REQUIRE(exporter.open());
    REQUIRE(exporter.write(batch, 0, consumed));
    REQUIRE(exporter.flush());
    return batch.records.size();
}

std::size_t records_in(const std::string& path, exporters::ipfix::ReaderCounters& counters) {
    std::ifstream in(path, std::ios::binary);
    const Bytes bytes{std::istreambuf_iterator<char>(in), {}};
    MessageReader reader([](std::string_view) {});
    reader.feed_stream(bytes);
    reader.end_stream();
    counters = reader.counters();
    return counters.records;
}

}  // namespace

TEST_CASE("ipfix: settings that contradict each other are errors with their place") {
    for (const Made* made :
         {new Made({}, ""), new Made({"udp://127.0.0.1"}, "/tmp/x"), new Made({"udp://127.0.0.1", "127.0.0.1"}, ""),
          new Made({"udp://127.0.0.1"}, "", {"no_such_field"}),
          new Made({"udp://127.0.0.1"}, "", {"bidirectional_packets"})}) {
        const std::unique_ptr<const Made> owner(made);
        REQUIRE_FALSE(made->exporter);
        CHECK(made->exporter.error().code == ErrorCode::kInvalidArgument);
        CHECK(made->exporter.error().where == "test.yaml:1:1");
    }
}

TEST_CASE("ipfix: fields without an element are named once and left out") {
    const Made made({"udp://127.0.0.1"}, "", {"src_ip", "src_oui", "bidirectional_packets"});
    REQUIRE(made.exporter);
    CHECK(made.log.count("left out") == 1);
    CHECK(made.log.contains("src_oui bidirectional_packets"));
    CHECK(made.exporter.value()->description() == "udp://127.0.0.1:4739");
}

TEST_CASE("ipfix: texts that go unencrypted to another host are warned of, once") {
    constexpr std::string_view kWarning = "texts of the traffic are sent without encryption";
    const Made plain({"udp://192.0.2.1", "tcp://collector.example", "udp://127.0.0.1"}, "");
    REQUIRE(plain.exporter);
    CHECK(plain.log.count(kWarning) == 1);
    CHECK(plain.log.contains("udp://192.0.2.1:4739 tcp://collector.example:4739"));
    CHECK(plain.log.contains("requested_server_name"));
    for (const Made* made : {new Made({"udp://127.0.0.1", "tcp://localhost", "udp://[::1]"}, ""),
                             new Made({}, "/dev/null"), new Made({"udp://192.0.2.1"}, "", {"src_ip", "dst_ip"})}) {
        const std::unique_ptr<const Made> owner(made);
        REQUIRE(made->exporter);
        CHECK(made->log.count(kWarning) == 0);
    }
}

TEST_CASE("ipfix: a file holds all records, is emptied by the next exporter, and continued with append") {
    const TemporaryFolder folder;
    const std::string path = folder.path("flows.ipfix");
    exporters::ipfix::ReaderCounters counters;
    {
        Made made({}, path);
        REQUIRE(made.exporter);
        write_out(*made.exporter.value(), batch_of(1, 1000));
        made.exporter.value()->close();
        CHECK(records_in(path, counters) == 1000);
        CHECK(counters.malformed == 0);
        CHECK(made.exporter.value()->counters().records.get() == 1000);
    }
    {
        Made made({}, path);
        write_out(*made.exporter.value(), batch_of(1, 10));
        write_out(*made.exporter.value(), batch_of(11, 10));  // opened again, as after a failure
    }
    CHECK(records_in(path, counters) == 20);
    {
        Made made({}, path, {}, true);
        write_out(*made.exporter.value(), batch_of(1, 5));
    }
    CHECK(records_in(path, counters) == 25);
    CHECK(counters.malformed == 0);
}

TEST_CASE("ipfix: a folder instead of a file is an error of open") {
    const TemporaryFolder folder;
    Made made({}, folder.path(""));
    REQUIRE(made.exporter);
    CHECK_FALSE(made.exporter.value()->open());
    CHECK(made.exporter.value()->counters().failures.get() == 1);
}

TEST_CASE("ipfix: over UDP to nobody, every record ends in dropped_unreachable") {
    std::uint16_t port = 0;
    {
        boost::asio::io_context io;
        boost::asio::ip::udp::socket socket(io, {boost::asio::ip::address_v4::loopback(), 0});
        port = socket.local_endpoint().port();
    }
    Made made({"udp://127.0.0.1:" + std::to_string(port)}, "");
    REQUIRE(made.exporter);
    write_out(*made.exporter.value(), batch_of(1, 100));
    made.exporter.value()->close();
    const auto& counters = made.exporter.value()->counters();
    CHECK(counters.dropped_unreachable.get() == 100);
    CHECK(counters.records.get() == 0);
}

TEST_CASE("ipfix: over UDP to a collector, every record arrives in datagrams of at most the mtu") {
    boost::asio::io_context io;
    boost::asio::ip::udp::socket collector(io, {boost::asio::ip::address_v4::loopback(), 0});
    Made made({"udp://127.0.0.1:" + std::to_string(collector.local_endpoint().port())}, "");
    REQUIRE(made.exporter);
    write_out(*made.exporter.value(), batch_of(1, 30));
    Lines lines;
    MessageReader reader([&](std::string_view line) { lines.push_back(parse_line(line)); });
    for (std::uint64_t i = 0; i < made.exporter.value()->counters().messages.get(); ++i) {
        Bytes datagram(65536);
        datagram.resize(collector.receive(boost::asio::buffer(datagram)));
        CHECK(datagram.size() <= 1420 - 48);
        CHECK(number_at(datagram, 12, 4) == 77);
        reader.feed_datagram(datagram, "a");
    }
    CHECK(lines.size() == 30);
    CHECK(reader.counters().sequence_gaps == 0);
}
#endif
