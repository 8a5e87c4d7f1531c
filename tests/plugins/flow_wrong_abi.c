/* SPDX-License-Identifier: Apache-2.0 */
/* As if it had been made for a later version. */
#include "nfstreamd_plugin.h"

const nfd_plugin* nfstreamd_plugin(uint32_t abi) {
    static const nfd_plugin plugin = {.abi = NFSTREAMD_PLUGIN_ABI + 1, .struct_size = sizeof plugin, .version = "1.0"};
    (void)abi;
    return &plugin;
}
