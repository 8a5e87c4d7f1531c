// SPDX-License-Identifier: Apache-2.0
#include "core/application/ndpi_dispatch.hpp"

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/application/ndpi_compat.hpp"
#include "core/application/ndpi_module.hpp"
#include "core/capture/packet_source.hpp"
#include "core/packet/decode.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/support/recording_exporter.hpp"

#if NFSTREAMD_NDPI_VERSION == 402 && !defined(NFSTREAMD_NDPI_STATIC)

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

struct Shown {
    std::tuple<std::uint8_t, std::uint16_t, std::uint16_t> flow;  // protocol, lower and higher port
    Bytes ip;
};

// The IP packets of a golden capture.
class Packets final : public FrameSink {
public:
    explicit Packets(const std::string& capture) {
        auto source =
            make_file_source({NFSTREAMD_SOURCE_DIR "/tests/golden/captures/" + capture + ".pcap"}, {}, quiet_logger());
        REQUIRE(source->open());
        for (;;) {
            auto outcome = source->poll(*this, std::chrono::milliseconds(0));
            REQUIRE(outcome);
            if (outcome.value() == PollOutcome::kEnd) break;
        }
    }
    void on_frames(const FrameVector& vector) noexcept override {
        for (const RawFrame& frame : vector.frames) {
            Packet p;
            if (decode(vector.link_type, frame, {}, p) != DecodeResult::kOk) continue;
            const auto [low, high] = std::minmax(p.source_port, p.destination_port);
            all.push_back({{p.protocol, low, high}, {p.ip, p.ip + p.ip_captured}});
        }
    }
    std::vector<Shown> all;
};

// What nDPI knows of a flow, but for addresses of memory.
using Known = std::tuple<std::uint16_t, std::uint16_t, std::uint16_t, std::uint16_t, std::uint16_t, std::uint16_t, bool,
                         std::array<std::uint32_t, NDPI_NUM_FDS_BITS>, std::string>;
Known known(const ndpi::Verdict& v, const ndpi::Flow& flow) {
    std::array<std::uint32_t, NDPI_NUM_FDS_BITS> excluded;
    std::memcpy(excluded.data(), &flow.excluded_protocol_bitmask, sizeof excluded);
    return {v.master,
            v.app,
            v.category,
            flow.guessed_protocol_id,
            flow.guessed_host_protocol_id,
            flow.num_processed_pkts,
            flow.fail_with_unknown,
            excluded,
            flow.host_server_name};
}

// After each packet.
std::vector<Known> progress(const std::vector<Shown>& packets, NdpiModule& module, const NdpiDispatch* plan) {
    std::map<decltype(Shown::flow), std::vector<std::uint8_t>> flows;
    std::vector<Known> out;
    std::uint64_t time_ms = 1'700'000'000'000;
    for (const Shown& packet : packets) {
        auto [place, fresh] = flows.try_emplace(packet.flow, sizeof(ndpi::Flow), std::uint8_t{0});
        auto* flow = reinterpret_cast<ndpi::Flow*>(place->second.data());
        const NdpiDispatch::Use use(plan);
        const auto length = static_cast<std::uint16_t>(std::min<std::size_t>(packet.ip.size(), 65535));
        out.push_back(known(ndpi::process(module.get(), flow, packet.ip.data(), length, ++time_ms), *flow));
    }
    for (auto& [key, octets] : flows) ndpi_free_flow_data(reinterpret_cast<ndpi::Flow*>(octets.data()));
    return out;
}

void check_equal(const std::vector<Shown>& packets) {
    auto planned = NdpiModule::create({}), plain = NdpiModule::create({});
    REQUIRE(planned);
    REQUIRE(plain);
    REQUIRE(planned.value()->dispatch() != nullptr);
    const auto with = progress(packets, *planned.value(), planned.value()->dispatch());
    const auto without = progress(packets, *plain.value(), nullptr);
    REQUIRE(with.size() == without.size());
    for (std::size_t i = 0; i < with.size(); ++i) {
        CAPTURE(i);
        CHECK(with[i] == without[i]);
    }
}

}  // namespace

TEST_CASE("NdpiDispatch: the library calls the program's function, not its own") {
    void* const in_force = dlsym(RTLD_DEFAULT, "ndpi_check_flow_func");
    void* const of_library = dlsym(RTLD_DEFAULT, "ndpi_detection_process_packet");
    Dl_info ours{}, library{};
    REQUIRE(dladdr(in_force, &ours) != 0);
    REQUIRE(dladdr(of_library, &library) != 0);
    CHECK(ours.dli_fbase != library.dli_fbase);
}

TEST_CASE("NdpiDispatch: with its plan nDPI knows the same after each packet as without") {
    for (const char* capture : {"tls12", "tls_h2", "http", "ssh", "dns", "quic", "ftp", "facebook"}) {
        CAPTURE(capture);
        const Packets packets(capture);
        REQUIRE_FALSE(packets.all.empty());
        check_equal(packets.all);
    }
}

TEST_CASE("NdpiDispatch: the same for what no dissector knows, and for ports that suggest one") {
    std::vector<Shown> packets;
    for (std::uint16_t port = 1; port < 1200; port = static_cast<std::uint16_t>(port + 1))
        for (int i = 0; i < 4; ++i) {
            Bytes noise(static_cast<std::size_t>(20 + port % 90));
            for (std::size_t k = 0; k < noise.size(); ++k) noise[k] = static_cast<std::uint8_t>(k * port + k * k + 1);
            packets.push_back({{17, port, 40001}, PacketBuilder(noise).udp(40001, port).ipv4("10.0.0.1", "10.0.0.2")});
            const std::uint8_t flags = i == 0 ? 2 : 0x18;
            const Bytes tcp =
                PacketBuilder(i == 0 ? Bytes{} : noise).tcp(40001, port, flags).ipv4("10.0.0.1", "10.0.0.2");
            packets.push_back({{6, port, 40001}, tcp});
        }
    packets.push_back({{1, 0, 0}, PacketBuilder(Bytes(64, 8)).protocol(1).ipv4("10.0.0.1", "10.0.0.2")});
    check_equal(packets);
}

#endif
