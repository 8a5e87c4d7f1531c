/* SPDX-License-Identifier: Apache-2.0 */
/* Fails to open `times` times with the code of the setting `code`. */
#include "minimal.h"

struct state {
    int times, code;
};

static int create(const nfstreamd_host* host, void** instance, nfstreamd_error* error) {
    struct state* state = calloc(1, sizeof *state);
    (void)error;
    if (!state) return NFSTREAMD_UNAVAILABLE;
    state->times = atoi(setting(host, "times"));
    state->code = atoi(setting(host, "code"));
    *instance = state;
    return NFSTREAMD_OK;
}

static int open_late(void* instance, nfstreamd_error* error) {
    struct state* state = instance;
    return state->times-- > 0 ? fails(error, state->code, "nobody\tlistens \xff there") : NFSTREAMD_OK;
}

static size_t close_state(void* instance) {
    free(instance);
    return 0;
}

const nfstreamd_exporter_plugin* nfstreamd_exporter(uint32_t abi) {
    static const nfstreamd_exporter_plugin plugin = {
        NFSTREAMD_EXPORTER_ABI, sizeof plugin, "1.0", create, open_late, minimal_write, NULL, NULL, close_state};
    (void)abi;
    return &plugin;
}
