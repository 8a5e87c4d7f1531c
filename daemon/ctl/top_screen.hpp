// SPDX-License-Identifier: Apache-2.0
// The picture of `top`: rates, losses, applications and talkers as lines of a
// given size. Pure: no terminal is touched here.
#pragma once
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/ctl/top_sample.hpp"

namespace nfstreamd::ctl {

enum class TopOrder { kTotal, kSent, kReceived, kPackets, kFlows };
TopOrder parse_top_order(std::string_view name);  // "" is the total; names are checked before

struct TopLook {
    std::size_t width = 80, height = 24;  // height 0: as many lines as there are, plain
    bool colours = false;
    bool utf8 = true;  // bars and curves by block characters
    TopOrder order = TopOrder::kTotal;
    bool paused = false;
    std::string clock = {};     // "14:50:42"
    std::string interval = {};  // "2 s"
    std::string problem = {};   // printable; the daemon does not answer
};

struct TopHistory {
    static constexpr std::size_t kLongest = 300;
    std::deque<double> packets, bits, flows, drops;  // the newest last
    void add(const Rates& rates);
};

// At most `height` lines, none wider than `width` columns once the escapes that
// colour them are gone.
std::vector<std::string> top_screen(const Rates& rates, const Activity& activity, const TopHistory& history,
                                    const TopLook& look);

}  // namespace nfstreamd::ctl
