/* SPDX-License-Identifier: Apache-2.0 */
/* Tells what cannot be, as `how` says: beyond, before, early, code, lost. */
#include "minimal.h"

static int is(void* instance, const char* how) {
    return strcmp(setting(instance, "how"), how) == 0;
}

static int lie(void* instance, const nfstreamd_batch* batch, size_t from, size_t* consumed, nfstreamd_error* error) {
    memset(error->text, 'x', sizeof error->text); /* no end */
    if (is(instance, "beyond")) *consumed = batch->records + 1000;
    if (is(instance, "before")) *consumed = from - 1;
    if (is(instance, "early")) *consumed = from + 1;
    if (is(instance, "code")) return 4711;
    if (is(instance, "lost")) *consumed = batch->records;
    return NFSTREAMD_OK;
}

static size_t close_and_lie(void* instance) {
    return is(instance, "lost") ? 1000000 : 0;
}

const nfstreamd_exporter_plugin* nfstreamd_exporter(uint32_t abi) {
    static const nfstreamd_exporter_plugin plugin = {
        NFSTREAMD_EXPORTER_ABI, sizeof plugin, "1.0", minimal_create, minimal_open, lie, NULL, NULL, close_and_lie};
    (void)abi;
    return &plugin;
}
