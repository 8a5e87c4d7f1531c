// SPDX-License-Identifier: Apache-2.0
// noop_live INTERFACE MIB: the limit of anything that captures by libpcap. It counts, and says at SIGTERM what the
// kernel dropped.
#include <pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static pcap_t* capture;
static unsigned long packets, octets;

static void stop(int number) {
    (void)number;
    pcap_breakloop(capture);
}

static void count(u_char* unused, const struct pcap_pkthdr* header, const u_char* data) {
    (void)unused;
    (void)data;
    ++packets;
    octets += header->len;
}

int main(int argc, char** argv) {
    char error[PCAP_ERRBUF_SIZE] = "usage: noop_live INTERFACE MIB";
    capture = argc == 3 ? pcap_create(argv[1], error) : NULL;
    if (capture == NULL) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    pcap_set_snaplen(capture, 1536);
    pcap_set_promisc(capture, 1);
    pcap_set_timeout(capture, 100);
    pcap_set_buffer_size(capture, atoi(argv[2]) << 20);
    if (pcap_activate(capture) < 0) {
        fprintf(stderr, "%s\n", pcap_geterr(capture));
        return 1;
    }
    signal(SIGTERM, stop);
    printf("ready\n");
    fflush(stdout);
    while (pcap_dispatch(capture, -1, count, NULL) >= 0) continue;
    struct pcap_stat statistics = {0};
    pcap_stats(capture, &statistics);
    printf("{\"packets\":%lu,\"octets\":%lu,\"dropped\":%u}\n", packets, octets, statistics.ps_drop);
    pcap_close(capture);
    return 0;
}
