// SPDX-License-Identifier: Apache-2.0
// The links of this network namespace: what lies on what, and which offloads
// make the packets that a capture sees other than those on the wire. Asks the
// kernel; needs no privilege.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace nfstreamd::ctl {

struct Link {
    std::uint32_t index = 0;
    std::string name, kind;  // kind: "vlan", "macvlan", "bond", "veth"; empty for a device
    std::uint32_t mtu = 0;
    bool up = false, loopback = false;
    std::uint32_t lower = 0;            // link that it lies on, as a VLAN does; 0: none in this namespace
    std::uint32_t master = 0;           // bond, bridge or team that it is a part of; 0: none
    std::string driver;                 // empty: not known
    std::vector<std::string> offloads;  // of gro, lro, gso, tso: those that are on
};

Result<std::vector<Link>> list_links();

}  // namespace nfstreamd::ctl
