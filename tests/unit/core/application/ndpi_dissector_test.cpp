// SPDX-License-Identifier: Apache-2.0
#include "core/application/ndpi_dissector.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/capture/packet_source.hpp"
#include "core/packet/decode.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/support/recording_exporter.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

constexpr std::uint16_t kMostOctets = 65535;

// IP packets of a golden capture to or from one port, in order.
class Conversation final : public FrameSink {
public:
    Conversation(const std::string& capture, std::uint16_t port) : port_(port) {
        auto source =
            make_file_source({NFSTREAMD_SOURCE_DIR "/tests/golden/captures/" + capture + ".pcap"}, {}, quiet_logger());
        REQUIRE(source->open());
        for (;;) {
            auto outcome = source->poll(*this, std::chrono::milliseconds(0));
            REQUIRE(outcome);
            if (outcome.value() == PollOutcome::kEnd) break;
        }
        REQUIRE_FALSE(packets.empty());
    }
    void on_frames(const FrameVector& vector) noexcept override {
        for (const RawFrame& frame : vector.frames) {
            Packet p;
            if (decode(vector.link_type, frame, {}, p) != DecodeResult::kOk) continue;
            if (p.source_port != port_ && p.destination_port != port_) continue;
            const std::uint16_t other = p.source_port == port_ ? p.destination_port : p.source_port;
            if (packets.empty()) client_ = other;
            if (other == client_) packets.emplace_back(p.ip, p.ip + p.ip_captured);
        }
    }

    std::vector<Bytes> packets;

private:
    const std::uint16_t port_;
    std::uint16_t client_ = 0;
};

// What the dissector knows of a conversation, and after how many packets its state was freed.
struct Seen {
    Seen(unsigned n_dissections, const std::vector<Bytes>& packets) {
        auto created = NdpiDissector::create(n_dissections);
        REQUIRE(created);
        dissector = std::move(created.value());
        FlowApplication flow{};
        std::uint32_t number = 0;
        for (const Bytes& ip : packets) {
            ++number;
            dissector->on_packet(flow, ip.data(),
                                 static_cast<std::uint16_t>(std::min<std::size_t>(ip.size(), kMostOctets)),
                                 1'700'000'000'000 + number, number);
            if (flow.complete && completed_at == 0) completed_at = number;
            if (flow.complete) CHECK(flow.state == nullptr);
        }
        app = dissector->finish(flow, arena);
        CHECK(flow.state == nullptr);
        CHECK(flow.texts == nullptr);
        CHECK_FALSE(flow.complete);
        CHECK(dissector->states() == 0);
    }

    std::unique_ptr<NdpiDissector> dissector;
    Arena arena;
    const ApplicationRecord* app = nullptr;
    std::uint32_t completed_at = 0;
};

bool is_hexadecimal(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c); });
}

}  // namespace

TEST_CASE("NdpiDissector: TLS gives a server name and fingerprints of both sides") {
    const Seen seen(20, Conversation("tls12", 443).packets);
    CHECK(seen.app->family == ApplicationFamily::kTls);
    CHECK(seen.app->name.starts_with("TLS"));
    CHECK(seen.app->client_fingerprint.size() == 32);
    CHECK(is_hexadecimal(seen.app->client_fingerprint));
    CHECK(seen.app->server_fingerprint.size() == 32);
    CHECK(seen.app->content_type.empty());
    CHECK(seen.app->confidence == 6);
    CHECK_FALSE(seen.app->is_guessed);
    CHECK(seen.completed_at > 0);
    CHECK(seen.completed_at <= 20);
}

TEST_CASE("NdpiDissector: HTTP gives host, user agent and content type, and no fingerprint") {
    const Seen seen(20, Conversation("http", 80).packets);
    CHECK(seen.app->family == ApplicationFamily::kHttp);
    CHECK(seen.app->name.starts_with("HTTP"));
    CHECK_FALSE(seen.app->user_agent.empty());
    CHECK_FALSE(seen.app->content_type.empty());
    CHECK(seen.app->client_fingerprint.empty());
    CHECK(seen.app->server_fingerprint.empty());
}

TEST_CASE("NdpiDissector: SSH gives HASSH of both sides") {
    const Seen seen(20, Conversation("ssh", 22).packets);
    CHECK(seen.app->name == "SSH");
    CHECK(seen.app->family == ApplicationFamily::kSsh);
    CHECK(seen.app->client_fingerprint.size() == 32);
    CHECK(seen.app->user_agent.empty());
}

TEST_CASE("NdpiDissector: DNS gives the query's name") {
    const Seen seen(20, Conversation("dns", 53).packets);
    CHECK(seen.app->family == ApplicationFamily::kDns);
    CHECK(seen.app->name.starts_with("DNS"));
    CHECK_FALSE(seen.app->requested_server_name.empty());
}

TEST_CASE("NdpiDissector: gives up on packet n_dissections, not before and not after") {
    const std::vector<Bytes> noise(40, PacketBuilder(Bytes(64, 0x7f)).udp(40001, 40002).ipv4("10.0.0.1", "10.0.0.2"));
    for (const unsigned n : {1u, 2u, 7u, 20u}) {
        CAPTURE(n);
        const Seen seen(n, noise);
        CHECK(seen.completed_at == n);
        CHECK(seen.app->name == "Unknown");
        CHECK(seen.app->category_name == "Unspecified");
    }
    const Seen never(255, noise);  // the flow ends first
    CHECK(never.completed_at == 0);
    CHECK(never.app->name == "Unknown");
}

TEST_CASE("NdpiDissector: a guess by port is marked as one") {
    const Bytes syn = PacketBuilder().tcp(40001, 22, 2).ipv4("10.0.0.1", "10.0.0.2");
    const Seen seen(1, {syn});
    CHECK(seen.completed_at == 1);
    CHECK(seen.app->name == "SSH");
    CHECK(seen.app->is_guessed);
    CHECK(seen.app->confidence == 1);
    const Seen at_the_end(20, {syn});  // the flow's end gives up too
    CHECK(at_the_end.completed_at == 0);
    CHECK(at_the_end.app->name == "SSH");
    CHECK(at_the_end.app->is_guessed);
}

TEST_CASE("NdpiDissector: with one dissection, a known application is still followed while there is more to see") {
    auto packets = Conversation("http", 80).packets;
    const auto request = std::find_if(packets.begin(), packets.end(), [](const Bytes& ip) {
        const std::size_t payload = (ip[0] & 15) * 4u + (ip[(ip[0] & 15) * 4u + 12] >> 4) * 4u;
        return ip.size() > payload + 4 && std::equal(ip.begin() + static_cast<std::ptrdiff_t>(payload),
                                                     ip.begin() + static_cast<std::ptrdiff_t>(payload) + 3, "GET");
    });
    REQUIRE(request != packets.end());
    packets.erase(packets.begin(), request);
    const Seen seen(1, packets);
    CHECK(seen.app->name.starts_with("HTTP"));
    CHECK_FALSE(seen.app->is_guessed);
    CHECK(seen.completed_at != 1);
    CHECK_FALSE(seen.app->user_agent.empty());
}

TEST_CASE("NdpiDissector: discard frees without a result, and a place can be used again") {
    auto created = NdpiDissector::create(20);
    REQUIRE(created);
    NdpiDissector& dissector = *created.value();
    const Bytes ip = PacketBuilder(30).udp(40001, 40002).ipv4("10.0.0.1", "10.0.0.2");
    std::vector<FlowApplication> flows(600);
    for (int round = 0; round < 2; ++round) {
        for (auto& flow : flows) dissector.on_packet(flow, ip.data(), static_cast<std::uint16_t>(ip.size()), 1, 1);
        CHECK(dissector.states() == 600);
        for (auto& flow : flows) dissector.discard(flow);
        CHECK(dissector.states() == 0);
    }
}

TEST_CASE("NdpiDissector: names outlive the dissector") {
    Arena arena;
    const ApplicationRecord* record = nullptr;
    {
        auto created = NdpiDissector::create(20);
        REQUIRE(created);
        FlowApplication flow{};
        record = created.value()->finish(flow, arena);
    }
    CHECK(record->name == "Unknown");
    CHECK_FALSE(ndpi_version().empty());
}
