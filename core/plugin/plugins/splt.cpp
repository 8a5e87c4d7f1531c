// SPDX-License-Identifier: Apache-2.0
// nfstream's SPLT: directions, sizes and gaps of the first packets of a flow; the
// tail of a shorter one is -1.
#include <algorithm>
#include <limits>
#include <vector>

#include "core/plugin/nfstreamd_plugin.hpp"
#include "core/plugin/plugins/settings.hpp"

namespace {

using Numbers = std::vector<std::int32_t>;

class Splt : public nfstreamd::Plugin {
public:
    static constexpr auto packet_parts = NFD_PACKET_TIMES | NFD_PACKET_SIZES;
    struct State {
        Numbers direction, size, gap_ms;
    };

    explicit Splt(const nfstreamd::Host& of) : Plugin(of) {
        const nfstreamd::plugins::Settings settings(of.settings(), {"sequence_length", "accounting_mode"});
        length_ = static_cast<std::size_t>(settings.integer("sequence_length", 1, 16383));
        mode_ = static_cast<int>(settings.integer_or("accounting_mode", 0, 0, 3));
    }

    void on_init(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) {
        State& state = flow.state<State>();
        for (Numbers* numbers : {&state.direction, &state.size, &state.gap_ms}) numbers->reserve(length_);
        add(packet, state);
    }
    void on_update(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) {
        if (State& state = flow.state<State>(); state.size.size() < length_) add(packet, state);
    }
    void on_expire(nfstreamd::Flow& flow) {
        State& state = flow.state<State>();
        for (Numbers* numbers : {&state.direction, &state.size, &state.gap_ms}) numbers->resize(length_, -1);
        flow.set(directions_, state.direction);
        flow.set(sizes_, state.size);
        flow.set(gaps_, state.gap_ms);
    }

private:
    void add(const nfstreamd::Packet& packet, State& state) const {
        constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
        const std::uint32_t sizes[] = {packet.raw_size, packet.ip_size, packet.transport_size, packet.payload_size};
        state.direction.push_back(packet.direction);
        state.size.push_back(static_cast<std::int32_t>(sizes[mode_]));
        state.gap_ms.push_back(static_cast<std::int32_t>(std::min(packet.delta_time, kMost)));
    }

    nfstreamd::Field<Numbers> directions_{
        host, "splt_direction", "Direction of each of the first packets: 0 from the source, 1 to it, -1 none."};
    nfstreamd::Field<Numbers> sizes_{
        host, "splt_ps", "Size of each of the first packets, -1 for none.", {.units = "octets"}};
    nfstreamd::Field<Numbers> gaps_{host,
                                    "splt_piat_ms",
                                    "Time from the packet before to each of the first packets, -1 for none.",
                                    {.units = "milliseconds"}};
    std::size_t length_ = 0;
    int mode_ = 0;
};

}  // namespace

NFSTREAMD_PLUGIN(Splt, "1.0")
