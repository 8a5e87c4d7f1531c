/* SPDX-License-Identifier: Apache-2.0 */
/* Takes one record of a call and is busy then; at the end it has not delivered as many as `lose` says. */
#include "minimal.h"

static int write_one(void* instance, const nfstreamd_batch* batch, size_t from, size_t* consumed,
                     nfstreamd_error* error) {
    (void)instance;
    if (batch->patience_ms == 0) return fails(error, NFSTREAMD_UNAVAILABLE, "no patience");
    *consumed = from + 1;
    return *consumed == batch->records ? NFSTREAMD_OK : NFSTREAMD_BUSY;
}

static size_t close_with_losses(void* instance) {
    return strtoul(setting(instance, "lose"), NULL, 10);
}

const nfstreamd_exporter_plugin* nfstreamd_exporter(uint32_t abi) {
    static const nfstreamd_exporter_plugin plugin = {NFSTREAMD_EXPORTER_ABI, sizeof plugin, "1.0", minimal_create,
                                                     minimal_open,           write_one,     NULL,  NULL,
                                                     close_with_losses};
    (void)abi;
    return &plugin;
}
