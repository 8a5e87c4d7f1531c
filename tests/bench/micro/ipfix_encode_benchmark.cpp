// SPDX-License-Identifier: Apache-2.0
// What a flow record costs on its way out over IPFIX: encoding alone, and with
// the messages sent to a file and over UDP on this machine. 40 fields, three of
// them strings, as a probe with dissection sends them.
#include <benchmark/benchmark.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/log.hpp"
#include "exporters/ipfix/ipfix_format.hpp"
#include "exporters/ipfix/message_file.hpp"
#include "exporters/transport/udp_transport.hpp"

namespace {

using namespace nfstreamd;
using namespace nfstreamd::exporters;
using boost::asio::ip::udp;

constexpr std::size_t kRecords = 64;       // as a metering process batches them
constexpr std::uint16_t kDatagram = 1372;  // for an MTU of 1420

struct Batches {
    ApplicationRecord application;
    std::vector<RecordBatch> batches;

    explicit Batches(std::size_t count) : batches(count) {
        application.name = "TLS.Google";
        application.category_name = "Web";
        application.requested_server_name = "www.google.example";
        std::uint64_t n = 0;
        for (RecordBatch& batch : batches)
            for (std::size_t i = 0; i < kRecords; ++i) batch.records.push_back(record(++n));
    }

    FlowRecord record(std::uint64_t n) const {
        FlowRecord r;
        r.id = n;
        r.source_address = {{10, 1, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)}, 4};
        r.destination_address = {{192, 0, 2, 7}, 4};
        r.source_mac = {2, 0, 0, 0, 0, 1}, r.destination_mac = {2, 0, 0, 0, 0, 2};
        r.source_port = static_cast<std::uint16_t>(n), r.destination_port = 443;
        r.protocol = 6, r.ip_version = 4;
        for (auto* d : {&r.forward, &r.reverse}) {
            d->first = 1'700'000'000'000'000'000 + static_cast<TimestampNs>(n) * 1'000'000;
            d->last = d->first + 2'000'000'000;
            d->packets = n % 50 + 1, d->octets = d->packets * 700, d->bytes = d->octets + 14 * d->packets;
            d->tcp_flags = 0x1b, d->ttl_min = 60, d->ttl_max = 64;
        }
        r.application = &application;
        return r;
    }
};

// The default fields, the first 40 of them without the strings that are mostly empty.
ipfix::IpfixOptions options(std::uint16_t max_message) {
    ipfix::IpfixOptions options;
    options.max_message = max_message;
    const FieldSelection all = ipfix_fields(options.groups, 0);
    for (const InformationElement* field : all)
        if (field->type != IeType::kString && options.fields.size() < 37) options.fields.push_back(field);
    for (const char* name : {"application_name", "application_category_name", "tls_server_name"})
        options.fields.push_back(find_field(name));
    return options;
}

class Nowhere final : public MessageTransport {
public:
    Status open(Clock::time_point) override { return ok(); }
    Status send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                Clock::time_point) override {
        benchmark::DoNotOptimize(bytes.data());
        sent = ends.size();
        return ok();
    }
    Status check() override { return ok(); }
    void close() noexcept override {}
    std::string description() const override { return "nowhere"; }
};

void run(benchmark::State& state, const ipfix::IpfixOptions& options, std::unique_ptr<MessageTransport> transport,
         std::size_t send_octets = SessionOptions().send_octets) {
    Logger logger(LogLevel::kError, LogFormat::kText, -1);
    const Batches input(64);
    auto format = ipfix::IpfixFormat::make(options, "bench", logger);
    if (!format) return state.SkipWithError("cannot be planned");
    std::vector<std::unique_ptr<MessageTransport>> transports;
    transports.push_back(std::move(transport));
    CollectorOptions collectors;
    collectors.session.send_octets = send_octets;
    CollectorExporter exporter("bench", std::move(format.value()), std::move(transports), collectors, logger);
    if (!exporter.open()) return state.SkipWithError("cannot open");
    std::size_t next = 0;
    for (auto _ : state) {
        std::size_t consumed = 0;
        if (!exporter.write(input.batches[next++ % input.batches.size()], 0, consumed))
            return state.SkipWithError("cannot write");
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRecords));
    state.counters["fields"] = static_cast<double>(options.fields.size());
    state.counters["octets/record"] =
        static_cast<double>(exporter.counters().octets.get()) /
        static_cast<double>(std::max<std::uint64_t>(exporter.counters().records.get(), 1));
}

void ipfix_encode(benchmark::State& state) {
    run(state, options(kDatagram), std::make_unique<Nowhere>());
}

void ipfix_encode_for_file(benchmark::State& state) {
    run(state, options(ipfix::kFileMessage), std::make_unique<Nowhere>(), kFileWrite);
}

void ipfix_to_dev_null(benchmark::State& state) {
    run(state, options(ipfix::kFileMessage), std::make_unique<ipfix::MessageFile>("/dev/null", true), kFileWrite);
}

// To a socket whose buffer is soon full: what the kernel does for a reader that
// is too slow is all there is in it.
void ipfix_to_udp(benchmark::State& state) {
    boost::asio::io_context io;
    udp::socket collector(io, udp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    const Endpoint endpoint{EndpointProtocol::kUdp, "127.0.0.1", collector.local_endpoint().port()};
    run(state, options(kDatagram), std::make_unique<UdpTransport>(endpoint, TransportOptions{}, state.range(0) != 0));
}

BENCHMARK(ipfix_encode);
BENCHMARK(ipfix_encode_for_file);
BENCHMARK(ipfix_to_dev_null);
BENCHMARK(ipfix_to_udp)->ArgName("gso")->Arg(0)->Arg(1);

}  // namespace
