// SPDX-License-Identifier: Apache-2.0
#include "core/capture/link_type.hpp"

#include <pcap/pcap.h>

namespace nfstreamd {

std::string link_type_name(int link_type) {
    const char* name = pcap_datalink_val_to_name(link_type);
    return name != nullptr ? name : "DLT_" + std::to_string(link_type);
}

}  // namespace nfstreamd
