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
#include "tests/unit/config/workspace.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using nfstreamd::config::test::Workspace;

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
            if (other != client_) continue;
            packets.emplace_back(p.ip, p.ip + p.ip_captured);
            protocol = p.protocol;
        }
    }

    std::vector<Bytes> packets;
    std::uint8_t protocol = 0;

private:
    const std::uint16_t port_;
    std::uint16_t client_ = 0;
};

constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17;
constexpr bool kDetails = true;

void show(NdpiDissector& dissector, FlowApplication& flow, std::uint8_t protocol, const Bytes& ip,
          std::uint32_t number) {
    dissector.on_packet(flow, protocol, ip.data(),
                        static_cast<std::uint16_t>(std::min<std::size_t>(ip.size(), kMostOctets)),
                        1'700'000'000'000 + number, number);
}

// What the dissector knows of a conversation, and after how many packets its state was freed.
struct Seen {
    Seen(const DissectorOptions& options, std::uint8_t protocol, const std::vector<Bytes>& packets) {
        auto created = NdpiDissector::create(options);
        REQUIRE(created);
        dissector = std::move(created.value());
        FlowApplication flow{};
        std::uint32_t number = 0;
        for (const Bytes& ip : packets) {
            show(*dissector, flow, protocol, ip, ++number);
            if (flow.complete && completed_at == 0) completed_at = number;
            if (flow.complete) CHECK(flow.state == nullptr);
        }
        app = dissector->finish(flow, arena);
        CHECK(flow.state == nullptr);
        CHECK(flow.texts == nullptr);
        CHECK_FALSE(flow.complete);
        CHECK(dissector->states() == 0);
    }
    Seen(const DissectionLimits& limits, std::uint8_t protocol, const std::vector<Bytes>& packets, bool details = false)
        : Seen(DissectorOptions{limits, details, {}}, protocol, packets) {}
    Seen(const DissectionLimits& limits, const Conversation& seen, bool details = false)
        : Seen(limits, seen.protocol, seen.packets, details) {}

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
    const Seen seen(20, Conversation("tls12", 443));
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
    const Seen seen(20, Conversation("http", 80));
    CHECK(seen.app->family == ApplicationFamily::kHttp);
    CHECK(seen.app->name.starts_with("HTTP"));
    CHECK_FALSE(seen.app->user_agent.empty());
    CHECK_FALSE(seen.app->content_type.empty());
    CHECK(seen.app->client_fingerprint.empty());
    CHECK(seen.app->server_fingerprint.empty());
}

TEST_CASE("NdpiDissector: SSH gives HASSH of both sides") {
    const Seen seen(20, Conversation("ssh", 22));
    CHECK(seen.app->name == "SSH");
    CHECK(seen.app->family == ApplicationFamily::kSsh);
    CHECK(seen.app->client_fingerprint.size() == 32);
    CHECK(seen.app->user_agent.empty());
}

TEST_CASE("NdpiDissector: DNS gives the query's name") {
    const Seen seen(20, Conversation("dns", 53));
    CHECK(seen.app->family == ApplicationFamily::kDns);
    CHECK(seen.app->name.starts_with("DNS"));
    CHECK_FALSE(seen.app->requested_server_name.empty());
}

TEST_CASE("NdpiDissector: gives up on packet n_dissections, not before and not after") {
    const std::vector<Bytes> noise(40, PacketBuilder(Bytes(64, 0x7f)).udp(40001, 40002).ipv4("10.0.0.1", "10.0.0.2"));
    for (const unsigned n : {1u, 2u, 7u, 20u}) {
        CAPTURE(n);
        const Seen seen(n, kUdp, noise);
        CHECK(seen.completed_at == n);
        CHECK(seen.app->name == "Unknown");
        CHECK(seen.app->category_name == "Unspecified");
    }
    const Seen never(255, kUdp, noise);  // the flow ends first
    CHECK(never.completed_at == 0);
    CHECK(never.app->name == "Unknown");
}

TEST_CASE("NdpiDissector: a guess by port is marked as one") {
    const Bytes syn = PacketBuilder().tcp(40001, 22, 2).ipv4("10.0.0.1", "10.0.0.2");
    const Seen seen(1, kTcp, {syn});
    CHECK(seen.completed_at == 1);
    CHECK(seen.app->name == "SSH");
    CHECK(seen.app->is_guessed);
    CHECK(seen.app->confidence == 1);
    const Seen at_the_end(20, kTcp, {syn});  // the flow's end gives up too
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
    const Seen seen(1, kTcp, packets);
    CHECK(seen.app->name.starts_with("HTTP"));
    CHECK_FALSE(seen.app->is_guessed);
    CHECK(seen.completed_at != 1);
    CHECK_FALSE(seen.app->user_agent.empty());
}

TEST_CASE("NdpiDissector: limits hold by protocol, and 0 shows nothing of it") {
    const DissectionLimits limits = [] {
        DissectionLimits out{0};
        out.tcp = 3;
        out.udp = 5;
        return out;
    }();
    CHECK(limits.any());
    CHECK_FALSE(DissectionLimits{0}.any());
    const std::vector<Bytes> udp(9, PacketBuilder(Bytes(64, 0x7f)).udp(40001, 40002).ipv4("10.0.0.1", "10.0.0.2"));
    CHECK(Seen(limits, kUdp, udp).completed_at == 5);
    const std::vector<Bytes> tcp(9,
                                 PacketBuilder(Bytes(64, 0x7f)).tcp(40001, 40002, 0x18).ipv4("10.0.0.1", "10.0.0.2"));
    CHECK(Seen(limits, kTcp, tcp).completed_at == 3);
    const std::vector<Bytes> other(9, PacketBuilder(Bytes(64, 8)).protocol(kIcmp).ipv4("10.0.0.1", "10.0.0.2"));
    const Seen none(limits, kIcmp, other);
    CHECK(none.completed_at == 1);
    CHECK(none.app->name == "Unknown");
    CHECK_FALSE(none.app->is_guessed);
    CHECK(Seen(1, kIcmp, other).app->name == "ICMP");
}

TEST_CASE("NdpiDissector: an exact limit of one packet is one, as in nfstream 3") {
    auto packets = Conversation("dns", 53).packets;
    DissectionLimits limits{1};
    const Seen followed(limits, kUdp, packets, kDetails);
    CHECK(followed.completed_at == 2);
    CHECK(followed.app->details->dns_reply_code == 0);
    limits.exact = true;
    const Seen exact(limits, kUdp, packets, kDetails);
    CHECK(exact.completed_at == 1);
    CHECK(exact.app->name == followed.app->name);
    CHECK_FALSE(exact.app->is_guessed);
    CHECK(exact.app->details->dns_query_type == 1);
    CHECK(exact.app->details->dns_reply_code == -1);
}

// Expected values of the details were read with tshark.
TEST_CASE("NdpiDissector: details of DNS") {
    const Conversation dns("dns", 53);
    CHECK(Seen(20, dns).app->details == nullptr);
    const Seen seen(20, dns, kDetails);
    const ApplicationDetails& details = *seen.app->details;
    CHECK(seen.app->requested_server_name == "www.example.org");
    CHECK(details.dns_query_type == 1);
    CHECK(details.dns_reply_code == 0);
    CHECK(details.dns_answer == "192.0.2.80");
    CHECK(details.tls_version == 0);
    CHECK(details.http_url.empty());
    const Seen unanswered(20, kUdp, {dns.packets.front()}, kDetails);
    CHECK(unanswered.app->details->dns_query_type == 1);
    CHECK(unanswered.app->details->dns_reply_code == -1);
    CHECK(unanswered.app->details->dns_answer.empty());
}

TEST_CASE("NdpiDissector: details of HTTP") {
    const Seen seen(20, Conversation("http", 80), kDetails);
    const ApplicationDetails& details = *seen.app->details;
    CHECK(details.http_method == "GET");
    CHECK(details.http_url == "www.example.org/");
    CHECK(details.http_status == 200);
    CHECK(details.dns_query_type == 0);
    CHECK(details.dns_reply_code == -1);
}

TEST_CASE("NdpiDissector: details of TLS 1.2, with its certificate") {
    const Seen seen(20, Conversation("tls12", 443), kDetails);
    const ApplicationDetails& details = *seen.app->details;
    CHECK(details.tls_version == 0x0303);
    CHECK(details.tls_cipher == 0xc030);
    CHECK(details.tls_issuer == "CN=www.example.org");
    CHECK(details.tls_subject == "CN=www.example.org");
    CHECK(details.tls_not_before == 1'795'167'357);
    CHECK(details.tls_not_after == 2'110'527'357);
    CHECK(details.tls_certificate_sha1 == "398af8855ba8a0fcace5b2f4894f8ea1682230a3");
    CHECK(details.tls_server_names == "www.example.org");
    CHECK(details.ja3_client == seen.app->client_fingerprint);
    CHECK(details.ja3_server == seen.app->server_fingerprint);
    CHECK(details.hassh_client.empty());
    // self-signed
    CHECK((details.risk >> 6 & 1) == 1);
    CHECK(details.risk_score > 0);
    CHECK(details.risk_names.find("Self-signed Certificate") != std::string_view::npos);
}

TEST_CASE("NdpiDissector: details of TLS with ALPN, and of QUIC") {
    const Seen h2(20, Conversation("tls_h2", 443), kDetails);
    CHECK(h2.app->details->tls_alpn == "h2,http/1.1");  // offered; h2 was chosen
    CHECK(h2.app->details->tls_cipher == 0xc030);
    const Seen quic(20, Conversation("quic", 443), kDetails);
    CHECK(quic.app->details->tls_alpn == "h3");
    CHECK(quic.app->details->tls_version == 0x0304);
    CHECK(quic.app->details->tls_certificate_sha1.empty());
    CHECK(quic.app->details->tls_not_after == 0);
}

TEST_CASE("NdpiDissector: details of SSH") {
    const Seen seen(20, Conversation("ssh", 22), kDetails);
    const ApplicationDetails& details = *seen.app->details;
    CHECK(details.ssh_client_version == "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10");
    CHECK(details.ssh_server_version == "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10");
    CHECK(details.hassh_client == seen.app->client_fingerprint);
    CHECK(details.hassh_server == seen.app->server_fingerprint);
    CHECK(details.ja3_client.empty());
}

TEST_CASE("NdpiDissector: an unknown flow has details that say nothing") {
    const Bytes ip = PacketBuilder(Bytes(64, 0x7f)).udp(40001, 40002).ipv4("10.0.0.1", "10.0.0.2");
    const Seen seen(20, kUdp, {ip}, kDetails);
    REQUIRE(seen.app->details != nullptr);
    CHECK(seen.app->details->dns_reply_code == -1);
    CHECK(seen.app->details->http_method.empty());
    CHECK(seen.app->details->detected_os.empty());
}

TEST_CASE(
    "NdpiDissector: no password of FTP is in a result, and a guess by port does not take other protocols' memory") {
    const auto packets = Conversation("ftp", 21).packets;
    const Seen seen(255, kTcp, packets, kDetails);
    CHECK(seen.app->name == "FTP_CONTROL");
    const auto& app = *seen.app;
    const auto& d = *seen.app->details;
    for (const std::string_view text :
         {app.name, app.category_name, app.requested_server_name, app.client_fingerprint, app.server_fingerprint,
          app.user_agent, app.content_type, d.dns_answer, d.http_method, d.http_url, d.tls_alpn, d.tls_issuer,
          d.tls_subject, d.tls_server_names, d.ssh_client_version, d.ssh_server_version, d.detected_os, d.risk_names})
        CHECK(text.find("ftp@example.com") == std::string_view::npos);
}

TEST_CASE("NdpiDissector: discard frees without a result, and a place can be used again") {
    auto created = NdpiDissector::create({20, false, {}});
    REQUIRE(created);
    NdpiDissector& dissector = *created.value();
    const Bytes ip = PacketBuilder(30).udp(40001, 40002).ipv4("10.0.0.1", "10.0.0.2");
    std::vector<FlowApplication> flows(600);
    for (int round = 0; round < 2; ++round) {
        for (auto& flow : flows) show(dissector, flow, kUdp, ip, 1);
        CHECK(dissector.states() == 600);
        for (auto& flow : flows) dissector.discard(flow);
        CHECK(dissector.states() == 0);
    }
}

TEST_CASE("NdpiDissector: names outlive the dissector") {
    Arena arena;
    const ApplicationRecord* record = nullptr;
    {
        auto created = NdpiDissector::create({20, false, {}});
        REQUIRE(created);
        FlowApplication flow{};
        record = created.value()->finish(flow, arena);
    }
    CHECK(record->name == "Unknown");
    CHECK_FALSE(ndpi_version().empty());
}

TEST_CASE("NdpiDissector: the operator's rules name flows by port, host and address, and their category") {
    const Workspace workspace;
    const auto dns = Conversation("dns", 53);
    const Bytes other = PacketBuilder(30).udp(40001, 40002).ipv4("10.0.0.1", "10.7.0.2");
    NdpiFiles files;
    files.protocols = workspace.write("p", "udp:40002@MyPort\nhost:\"example.org\"@MyHost\n");
    CHECK(Seen(DissectorOptions{20, false, files}, kUdp, {other}).app->name == "MyPort");
    CHECK(Seen(DissectorOptions{20, false, files}, kUdp, dns.packets).app->name == "DNS.MyHost");
    files.protocols = workspace.write("p", "ip:10.7.0.0/16@MyNetwork\n");
    CHECK(Seen(DissectorOptions{20, false, files}, kUdp, {other}).app->name == "MyNetwork");
    files.categories = workspace.write("c", "www.example.org\t100\n");
    const Seen mining(DissectorOptions{20, false, files}, kUdp, dns.packets);
    CHECK(mining.app->category_name != Seen(20, dns).app->category_name);
}

TEST_CASE("NdpiDissector: after a change of rules new flows get the new name, and old ones keep theirs") {
    const Workspace workspace;
    const auto rules = [&](const char* name) {
        return NdpiFiles{workspace.write(name, std::string("udp:40002@") + name + "\n"), "", 0};
    };
    auto created = NdpiDissector::create({20, false, rules("Before")});
    REQUIRE(created);
    NdpiDissector& dissector = *created.value();
    Arena arena;
    const Bytes ip = PacketBuilder(30).udp(40001, 40002).ipv4("10.0.0.1", "10.0.0.2");
    FlowApplication old_flow{}, new_flow{};
    show(dissector, old_flow, kUdp, ip, 1);
    auto next = NdpiModule::create(rules("After"));
    REQUIRE(next);
    dissector.adopt(std::move(next.value()));
    show(dissector, new_flow, kUdp, ip, 1);
    show(dissector, old_flow, kUdp, ip, 2);
    CHECK(dissector.finish(new_flow, arena)->name == "After");
    CHECK(dissector.finish(old_flow, arena)->name == "Before");
    CHECK(dissector.modules() == 1);
}

TEST_CASE("NdpiDissector: a new module is for flows that begin, and the old one leaves with its last flow") {
    auto created = NdpiDissector::create({20, false, {}});
    REQUIRE(created);
    NdpiDissector& dissector = *created.value();
    Arena arena;
    const Bytes ip = PacketBuilder(30).udp(40001, 40002).ipv4("10.0.0.1", "10.0.0.2");
    FlowApplication old_one{}, old_two{}, fresh{}, never{};
    show(dissector, old_one, kUdp, ip, 1);
    show(dissector, old_two, kUdp, ip, 1);
    auto next = NdpiModule::create({});
    REQUIRE(next);
    dissector.adopt(std::move(next.value()));
    CHECK(dissector.modules() == 2);
    show(dissector, fresh, kUdp, ip, 1);
    show(dissector, old_one, kUdp, ip, 2);
    dissector.finish(old_one, arena);
    CHECK(dissector.finish(never, arena)->name == "Unknown");
    CHECK(dissector.modules() == 2);
    dissector.finish(old_two, arena);
    CHECK(dissector.modules() == 1);
    for (int i = 0; i < 3; ++i) {  // without flows, the one before leaves at once
        auto another = NdpiModule::create({});
        REQUIRE(another);
        dissector.adopt(std::move(another.value()));
    }
    CHECK(dissector.modules() == 2);
    CHECK(dissector.finish(fresh, arena)->name == "Unknown");
    CHECK(dissector.modules() == 1);
}
