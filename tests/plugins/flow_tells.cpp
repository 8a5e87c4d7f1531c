// SPDX-License-Identifier: Apache-2.0
// Puts all that it is shown of a flow into fields, and writes how often it is
// opened and closed to the file that the setting names: {"log": "PATH"}.
#include <arpa/inet.h>

#include <fstream>
#include <string>

#include "nfstreamd_plugin.hpp"

namespace {

class Tells : public nfstreamd::Plugin {
public:
    struct State {
        std::string shown;
        std::uint64_t packets = 0, octets = 0;
    };

    explicit Tells(const nfstreamd::Host& of) : Plugin(of) {
        const std::string settings(of.settings()), key = "\"log\": \"";
        if (const auto at = settings.find(key); at != std::string::npos)
            log_ = settings.substr(at + key.size(), settings.find('"', at + key.size()) - at - key.size());
        note("open");
    }
    ~Tells() { note("close"); }

    void on_init(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) {
        flow.set(first_, text_of(packet));
        on_update(packet, flow);
    }
    void on_update(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) {
        State& state = flow.state<State>();
        ++state.packets;
        state.octets += packet.raw_size;
        wrong_ |= flow.packets() != state.packets || flow.number(packets_) != state.packets ||
                  flow.number(octets_) != state.octets || flow.real(mean_) < 1;
        flow.set(gap_, packet.delta_time);
        flow.set(application_, flow.text(name_));
        flow.set(payload_, std::string(packet.payload().begin(), packet.payload().end()).substr(0, 4));
    }
    void on_expire(nfstreamd::Flow& flow) {
        flow.set(sound_, !wrong_ && flow.number(packets_) == flow.state<State>().packets);
    }

private:
    static std::string text_of(const nfstreamd::Packet& p) {
        char source[64] = "", destination[64] = "";
        const int family = p.ip_version == 4 ? AF_INET : AF_INET6;
        ::inet_ntop(family, p.src_address, source, sizeof source);
        ::inet_ntop(family, p.dst_address, destination, sizeof destination);
        std::string out;
        for (const std::string& part :
             {std::string(source), std::string(destination), std::to_string(p.src_port), std::to_string(p.dst_port),
              std::to_string(p.protocol), std::to_string(p.ip_version), std::to_string(p.vlan_id),
              std::to_string(p.tunnel_id), std::to_string(p.raw_size), std::to_string(p.ip_size),
              std::to_string(p.transport_size), std::to_string(p.payload_size), std::to_string(p.capture_length),
              std::to_string(p.time), std::to_string(p.ip_packet_length), std::to_string(p.tcp_flags)})
            out += (out.empty() ? "" : " ") + part;
        return out;
    }
    void note(const char* what) const {
        if (!log_.empty() && !host.checks()) std::ofstream(log_, std::ios::app) << what << ' ' << host.meter() << '\n';
    }

    nfstreamd::Column packets_{host, "bidirectional_packets"}, octets_{host, "bidirectional_bytes"},
        mean_{host, "bidirectional_mean_ps"}, name_{host, "application_name"};
    nfstreamd::Field<std::string> first_{host, "first_packet", "What the first packet has."};
    nfstreamd::Field<std::uint64_t> gap_{host, "last_gap", "Before the last packet.", {"milliseconds"}};
    nfstreamd::Field<std::string> application_{host, "application", "As far as it was known before the end."};
    nfstreamd::Field<std::string> payload_{host, "payload", "Beginning of the last payload.", {nullptr, true}};
    nfstreamd::Field<bool> sound_{host, "sound", "What was counted is what was shown."};
    std::string log_;
    bool wrong_ = false;
};

}  // namespace

NFSTREAMD_PLUGIN(Tells, "1.0")
