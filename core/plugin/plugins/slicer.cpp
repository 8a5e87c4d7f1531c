// SPDX-License-Identifier: Apache-2.0
// nfstream's FlowSlicer: a flow ends, with expiration_id -1, at its packet number `limit`.
#include "core/plugin/nfstreamd_plugin.hpp"
#include "core/plugin/plugins/settings.hpp"

namespace {

class Slicer : public nfstreamd::Plugin {
public:
    static constexpr auto packet_parts = NFD_PACKET_BASICS;
    explicit Slicer(const nfstreamd::Host& of) : Plugin(of) {
        const nfstreamd::plugins::Settings settings(of.settings(), {"limit"});
        limit_ = static_cast<std::uint64_t>(settings.integer("limit", 1, 0xffffffff));
    }

    void on_init(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) { on_update(packet, flow); }
    void on_update(const nfstreamd::Packet&, nfstreamd::Flow& flow) {
        if (flow.packets() == limit_) flow.expire(-1);
    }

private:
    std::uint64_t limit_;
};

}  // namespace

NFSTREAMD_PLUGIN(Slicer, "1.0")
