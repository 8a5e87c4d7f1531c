// SPDX-License-Identifier: Apache-2.0
// nfstream's MDNS: names that PTR answers of a flow to port 5353 give, each once,
// in their order.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/plugin/nfstreamd_plugin.hpp"
#include "core/plugin/plugins/dns_message.hpp"
#include "core/plugin/plugins/python_text.hpp"
#include "core/plugin/plugins/settings.hpp"
#include "core/plugin/plugins/udp_payload.hpp"

namespace {

constexpr std::uint16_t kMdnsPort = 5353;

class Mdns : public nfstreamd::Plugin {
public:
    static constexpr auto packet_parts = NFD_PACKET_ENDPOINTS | NFD_PACKET_OCTETS;
    struct State {
        std::vector<std::string> names;
    };

    explicit Mdns(const nfstreamd::Host& of) : Plugin(of) { nfstreamd::plugins::Settings(of.settings(), {}); }

    void on_init(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) { on_update(packet, flow); }

    void on_update(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) {
        if ((packet.direction == 0 ? packet.dst_port : packet.src_port) != kMdnsPort) return;
        const auto names = nfstreamd::plugins::ptr_answers(nfstreamd::plugins::udp_payload(packet));
        if (!names) return;
        auto& known = flow.state<State>().names;
        for (const std::string& octets : *names) {
            std::string name = nfstreamd::plugins::decoded(octets);
            std::replace(name.begin(), name.end(), ',', ' ');
            if (std::find(known.begin(), known.end(), name) == known.end()) known.push_back(std::move(name));
        }
    }

    void on_expire(nfstreamd::Flow& flow) {
        flow.set(names_, nfstreamd::plugins::list_text(flow.state<State>().names));
    }

private:
    nfstreamd::Field<std::string> names_{host, "mdns_ptr", "Names in PTR answers, each once, as a list of Python."};
};

}  // namespace

NFSTREAMD_PLUGIN(Mdns, "1.0")
