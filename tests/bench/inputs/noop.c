// SPDX-License-Identifier: Apache-2.0
// noop FILE: the limit of anything that reads captures by libpcap. It reads and adds up lengths.
#include <pcap.h>
#include <stdio.h>

int main(int argc, char** argv) {
    char error[PCAP_ERRBUF_SIZE];
    pcap_t* capture = argc == 2 ? pcap_open_offline(argv[1], error) : NULL;
    if (capture == NULL) {
        fprintf(stderr, "%s\n", argc == 2 ? error : "usage: noop FILE");
        return 1;
    }
    struct pcap_pkthdr* header;
    const u_char* data;
    unsigned long packets = 0, octets = 0;
    while (pcap_next_ex(capture, &header, &data) == 1) {
        ++packets;
        octets += header->len;
    }
    printf("packets %lu octets %lu\n", packets, octets);
    pcap_close(capture);
    return 0;
}
