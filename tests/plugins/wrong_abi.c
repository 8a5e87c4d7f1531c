/* SPDX-License-Identifier: Apache-2.0 */
/* As if it had been made for a later version. */
#include "minimal.h"

const nfstreamd_exporter_plugin* nfstreamd_exporter(uint32_t abi) {
    static const nfstreamd_exporter_plugin plugin = {NFSTREAMD_EXPORTER_ABI + 1,
                                                     sizeof plugin,
                                                     "1.0",
                                                     minimal_create,
                                                     minimal_open,
                                                     minimal_write,
                                                     NULL,
                                                     NULL,
                                                     minimal_close};
    (void)abi;
    return &plugin;
}
