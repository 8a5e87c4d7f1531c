/* SPDX-License-Identifier: Apache-2.0 */
/* Tells each member of the flow's last packet, as text. Compiled once for each of some PARTS that it reads, and as a
 * plugin of the first nfd_plugin, which ended before these. */
#include <inttypes.h>
#include <nfstreamd_plugin.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef FIRST_NFD_PLUGIN
#define PARTS NFD_PACKET_BASICS /* not of the table, by its size */
#define SIZE offsetof(nfd_plugin, packet_parts)
#else
#define SIZE sizeof(nfd_plugin)
#endif

struct instance {
    const nfd_host* host;
    int shown;
};

static int open_instance(const nfd_host* host, void** instance) {
    nfd_field field = {
        .struct_size = sizeof field, .type = NFD_TEXT, .name = "shown", .description = "Of the flow's last packet."};
    struct instance* self = malloc(sizeof *self);
    if (self == NULL) return NFD_FAILED;
    self->host = host;
    self->shown = host->declare_field(host, &field);
    *instance = self;
    return NFD_OK;
}

static void close_instance(void* instance) {
    free(instance);
}

static const char* dotted(const uint8_t* octets, int length, char* out) {
    if (octets == NULL) return "null";
    char* end = out;
    for (int i = 0; i < length; ++i) end += sprintf(end, i == 0 ? "%u" : ".%u", octets[i]);
    return out;
}

static int on_packet(void* instance, const nfd_packet* p, nfd_flow* flow, void* state) {
    (void)state;
    const struct instance* self = instance;
    char source[64], destination[64], source_mac[64], destination_mac[64], octets[64], shown[512];
    const int length = snprintf(
        shown, sizeof shown,
        "%u %u %u %u | %" PRId64 " %" PRId64 " %" PRIu64 " | %u %u %u %u %u | %u %u %u %u %s %s %s %s | %s %u %u",
        p->direction, p->ip_version, p->protocol, p->tcp_flags, p->time_ns, p->time, p->delta_time, p->raw_size,
        p->ip_size, p->transport_size, p->payload_size, p->capture_length, p->src_port, p->dst_port, p->vlan_id,
        p->tunnel_id, dotted(p->src_address, 4, source), dotted(p->dst_address, 4, destination),
        dotted(p->src_mac, 6, source_mac), dotted(p->dst_mac, 6, destination_mac), dotted(p->ip_packet, 1, octets),
        p->ip_packet_length, p->transport_offset);
    const nfd_value value = {.type = NFD_TEXT, .length = (uint32_t)length, .as.text = shown};
    return p->struct_size == sizeof *p ? self->host->set(flow, self->shown, &value) : NFD_FAILED;
}

const nfd_plugin* nfstreamd_plugin(uint32_t abi) {
    static const nfd_plugin plugin = {.abi = NFSTREAMD_PLUGIN_ABI,
                                      .struct_size = SIZE,
                                      .version = "1.0",
                                      .open = open_instance,
                                      .close = close_instance,
                                      .on_init = on_packet,
                                      .on_update = on_packet,
                                      .packet_parts = PARTS};
    (void)abi;
    return &plugin;
}
