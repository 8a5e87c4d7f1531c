// SPDX-License-Identifier: Apache-2.0
// nfstream's WFPlugin: features of the Haar wavelets of both directions' octets
// over the active timeout; the first packet is not among them.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/plugin/nfstreamd_plugin.hpp"
#include "core/plugin/plugins/settings.hpp"
#include "core/plugin/plugins/wavelets.hpp"

namespace {

using nfstreamd::plugins::WaveletFeatures;

class WFeatures : public nfstreamd::Plugin {
public:
    static constexpr auto packet_parts = NFD_PACKET_TIMES | NFD_PACKET_SIZES;
    struct State {
        std::int64_t first_ms = 0;
        std::vector<double> octets[2];  // by direction; empty: none yet
    };

    explicit WFeatures(const nfstreamd::Host& of) : Plugin(of) {
        const nfstreamd::plugins::Settings settings(of.settings(), {"active_timeout", "levels"});
        levels_ = static_cast<unsigned>(settings.integer("levels", 1, 16));
        const auto timeout = static_cast<double>(settings.integer("active_timeout", 1, 0xffffffff));
        bin_ms_ = timeout / static_cast<double>(bins()) * 1000;
        for (const char* direction : {"f", "b"})
            for (const char* feature : {"p", "u", "sigma", "S"}) declare(direction, feature);
    }

    void on_init(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) { flow.state<State>().first_ms = packet.time; }

    // What is later than the timeout has no place: such a flow should have ended.
    void on_update(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) {
        State& state = flow.state<State>();
        const double bin = std::floor(static_cast<double>(packet.time - state.first_ms) / bin_ms_);
        if (bin < 0 || bin >= static_cast<double>(bins())) return;
        auto& octets = state.octets[packet.direction];
        if (octets.empty()) octets.resize(bins());
        octets[static_cast<std::size_t>(bin)] += packet.ip_size;
    }

    void on_expire(nfstreamd::Flow& flow) {
        std::size_t field = 0;
        for (auto& octets : flow.state<State>().octets) {
            octets.resize(bins());
            const WaveletFeatures features = nfstreamd::plugins::wavelet_features(std::move(octets), levels_);
            for (const auto* values : {&features.energy, &features.mean, &features.deviation, &features.entropy})
                for (const double value : *values) flow.set(fields_[field++], value);
        }
    }

private:
    std::size_t bins() const { return std::size_t{1} << levels_; }

    void declare(const std::string& direction, const std::string& feature) {
        for (unsigned k = 0; k <= levels_; ++k) {
            const std::string name = direction + '_' + feature + "_k_" + std::to_string(k);
            const char* what = feature == "p"       ? "Part of the energy that wavelets of one level have."
                               : feature == "u"     ? "Mean size of the coefficients of wavelets of one level."
                               : feature == "sigma" ? "Standard deviation of the coefficients of wavelets of one level."
                                                    : "Entropy of the coefficients of wavelets of one level.";
            fields_.emplace_back(host, name.c_str(), what);
        }
    }

    unsigned levels_;
    double bin_ms_;
    std::vector<nfstreamd::Field<double>> fields_;
};

}  // namespace

NFSTREAMD_PLUGIN(WFeatures, "1.0")
