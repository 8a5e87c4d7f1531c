/* SPDX-License-Identifier: Apache-2.0 */
/* The same in C: counts the packets of 40 octets of each flow. */
#include <nfstreamd_plugin.h>
#include <stdlib.h>

struct instance {
    const nfd_host* host;
    int count;
};

static int open_instance(const nfd_host* host, void** instance) {
    nfd_field field = {.struct_size = sizeof field,
                       .type = NFD_UNSIGNED,
                       .name = "packet_40_count",
                       .description = "Packets of 40 octets on the link."};
    struct instance* self = malloc(sizeof *self);
    if (self == NULL) return NFD_FAILED;
    host->reserve_flow_state(host, sizeof(uint64_t));
    self->host = host;
    self->count = host->declare_field(host, &field);
    *instance = self;
    return NFD_OK;
}

static void close_instance(void* instance) {
    free(instance);
}

static int on_packet(void* instance, const nfd_packet* packet, nfd_flow* flow, void* state) {
    (void)instance;
    (void)flow;
    *(uint64_t*)state += packet->raw_size == 40;
    return NFD_OK;
}

static int on_expire(void* instance, nfd_flow* flow, void* state) {
    const struct instance* self = instance;
    nfd_value value = {.type = NFD_UNSIGNED};
    value.as.u = *(uint64_t*)state;
    return self->host->set(flow, self->count, &value);
}

const nfd_plugin* nfstreamd_plugin(uint32_t abi) {
    static const nfd_plugin plugin = {.abi = NFSTREAMD_PLUGIN_ABI,
                                      .struct_size = sizeof plugin,
                                      .version = "1.0",
                                      .open = open_instance,
                                      .close = close_instance,
                                      .on_init = on_packet,
                                      .on_update = on_packet,
                                      .on_expire = on_expire,
                                      .packet_parts = NFD_PACKET_SIZES};
    (void)abi;
    return &plugin;
}
