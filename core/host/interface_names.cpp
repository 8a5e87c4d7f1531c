// SPDX-License-Identifier: Apache-2.0
#include "core/host/interface_names.hpp"

#include <net/if.h>

#include <fstream>
#include <memory>

namespace nfstreamd {

std::vector<InterfaceName> interface_names() {
    std::vector<InterfaceName> names;
    const std::unique_ptr<struct if_nameindex, decltype(&::if_freenameindex)> list(::if_nameindex(),
                                                                                   &::if_freenameindex);
    if (!list) return names;
    for (const auto* entry = list.get(); entry->if_index != 0; ++entry)
        names.push_back({entry->if_index, entry->if_name});
    return names;
}

std::string interface_alias(const std::string& name, const std::string& sys) {
    if (name.empty() || name.find('/') != std::string::npos) return {};  // no interface's name
    std::ifstream file(sys + "/class/net/" + name + "/ifalias");
    std::string alias;
    std::getline(file, alias);
    return alias;
}

}  // namespace nfstreamd
