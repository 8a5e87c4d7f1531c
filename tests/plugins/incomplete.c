/* SPDX-License-Identifier: Apache-2.0 */
/* Has no write(). */
#include "minimal.h"

const nfstreamd_exporter_plugin* nfstreamd_exporter(uint32_t abi) {
    static const nfstreamd_exporter_plugin plugin = {
        NFSTREAMD_EXPORTER_ABI, sizeof plugin, "1.0", minimal_create, minimal_open, NULL, NULL, NULL, minimal_close};
    (void)abi;
    return &plugin;
}
