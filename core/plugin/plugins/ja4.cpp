// SPDX-License-Identifier: Apache-2.0
// nfstream's JA4: fingerprints of the hellos of TLS over TCP and IPv4, of flows
// that begin with a SYN. A hello is looked for in single segments: the client's in
// the first one after the handshake at the latest, the server's in any later one.
#include <cstdint>
#include <string>

#include "core/plugin/nfstreamd_plugin.hpp"
#include "core/plugin/plugins/settings.hpp"
#include "core/plugin/plugins/tls_hello.hpp"

namespace {

using nfstreamd::plugins::HelloKind;
using nfstreamd::plugins::Octets;

Octets tcp_payload(const nfstreamd::Packet& packet) {
    constexpr std::uint8_t kTcp = 6;
    const Octets segment = nfstreamd::plugins::ipv4_payload(packet, kTcp);
    if (segment.size() < 20) return {};
    const std::size_t header = static_cast<std::size_t>(segment[12] >> 4) * 4;
    return header >= 20 && header < segment.size() ? segment.substr(header) : Octets();
}

class Ja4 : public nfstreamd::Plugin {
public:
    static constexpr auto packet_parts = NFD_PACKET_OCTETS;
    struct State {
        enum { kNobody, kClient, kServer } awaits = kNobody;
        enum { kSyn, kSynAck, kOpen } handshake = kSyn;
    };

    explicit Ja4(const nfstreamd::Host& of) : Plugin(of) { nfstreamd::plugins::Settings(of.settings(), {}); }

    void on_init(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) {
        if (packet.syn() && !packet.ack()) flow.state<State>().awaits = State::kClient;
    }

    void on_update(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) {
        State& state = flow.state<State>();
        if (state.awaits == State::kNobody) return;
        if (state.awaits == State::kClient) {
            if (const auto found = fingerprint(packet, HelloKind::kClient)) {
                flow.set(client_, *found);
                state.awaits = State::kServer;
            } else if (state.handshake == State::kOpen) {
                state.awaits = State::kNobody;
            }
        } else if (const auto found = fingerprint(packet, HelloKind::kServer)) {
            flow.set(server_, *found);
            state.awaits = State::kNobody;
        }
        follow(packet, state);
    }

private:
    static std::optional<std::string> fingerprint(const nfstreamd::Packet& packet, HelloKind kind) {
        const auto hello = nfstreamd::plugins::read_hello(tcp_payload(packet), kind);
        return hello ? nfstreamd::plugins::ja4(*hello) : std::nullopt;
    }

    static void follow(const nfstreamd::Packet& packet, State& state) {
        if (state.handshake == State::kSyn && packet.syn() && packet.ack())
            state.handshake = State::kSynAck;
        else if (state.handshake == State::kSynAck && packet.ack() && !packet.syn())
            state.handshake = State::kOpen;
    }

    nfstreamd::Field<std::string> client_{host, "ja4", "JA4 of the client's hello."};
    nfstreamd::Field<std::string> server_{host, "ja4s", "JA4S of the server's hello."};
};

}  // namespace

NFSTREAMD_PLUGIN(Ja4, "1.0")
