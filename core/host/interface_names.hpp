// SPDX-License-Identifier: Apache-2.0
// The network interfaces of this namespace by number, and what the operator calls
// them. Asks the kernel; any thread but one that meters.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace nfstreamd {

struct InterfaceName {
    std::uint32_t index = 0;
    std::string name;
};
std::vector<InterfaceName> interface_names();

// Its alias (`ip link set dev NAME alias TEXT`), or nothing. `sys` is where sysfs is mounted.
std::string interface_alias(const std::string& name, const std::string& sys = "/sys");

}  // namespace nfstreamd
