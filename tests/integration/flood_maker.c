// SPDX-License-Identifier: Apache-2.0
// Writes a capture of a flood to standard output, with connections that were there before it and go on in it.
//
// usage: flood_maker KIND FLOWS SECONDS CONNECTIONS SEED
//
// KIND: syn, one packet from a source of its own each; dns, a query of a random name and its answer; scan, one source
// to every port of one host after the other, each answered by a reset; mix, of these in turn. The connections, TCP from
// 172.16.0.0/12, have three packets in the first second and then one each tenth of SECONDS, between flows of the flood.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SYN, DNS, SCAN, MIX, FRAME = 128, LATER = 10 };
enum { FLAG_SYN = 2, FLAG_RST = 4, FLAG_ACK = 16 };

struct ends {
    uint32_t source, destination;
    uint16_t source_port, destination_port;
};

static uint64_t state;
static uint32_t draw(void) {  // splitmix64
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)(z >> 32);
}

static void put16(uint8_t* at, unsigned value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}
static void put32(uint8_t* at, uint32_t value) {
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

static struct ends turned(struct ends e) {
    const struct ends other = {e.destination, e.source, e.destination_port, e.source_port};
    return other;
}

static void packet(double time, int protocol, struct ends e, unsigned flags, const uint8_t* payload, unsigned octets) {
    uint8_t frame[FRAME] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45};
    const unsigned header = protocol == 6 ? 20 : 8, size = 14 + 20 + header + octets;
    put16(frame + 16, size - 14);
    frame[22] = 64;
    frame[23] = (uint8_t)protocol;
    put32(frame + 26, e.source);
    put32(frame + 30, e.destination);
    uint8_t* transport = frame + 34;
    put16(transport, e.source_port);
    put16(transport + 2, e.destination_port);
    if (protocol == 6) {
        transport[12] = 5 << 4;
        transport[13] = (uint8_t)flags;
    } else {
        put16(transport + 4, 8 + octets);
    }
    if (octets != 0) memcpy(transport + header, payload, octets);
    const uint32_t about[4] = {1700000000u + (uint32_t)time, (uint32_t)((time - (double)(uint32_t)time) * 1e6), size,
                               size};
    fwrite(about, sizeof about, 1, stdout);
    fwrite(frame, size, 1, stdout);
}

static void connections(double time, unsigned count, unsigned flags, int answers) {
    for (unsigned i = 0; i < count; ++i) {
        const struct ends e = {0xac100000u + i, 0xc0000201u, (uint16_t)(1024 + i % 60000), 443};
        packet(time, 6, answers ? turned(e) : e, flags, NULL, 0);
    }
}

static void of_flood(int kind, unsigned number, double time) {
    if (kind == MIX) kind = (int)(number % 3);
    struct ends e = {draw(), 0xc0000202u, (uint16_t)(1024 + draw() % 64000), 80};
    if (e.source >> 20 == 0xac1) e.source ^= 0x10000000u;  // not of the connections
    if (kind == SYN) {
        packet(time, 6, e, FLAG_SYN, NULL, 0);
    } else if (kind == DNS) {
        uint8_t query[37] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10};
        put16(query, draw());
        for (int i = 0; i < 10; ++i) query[13 + i] = (uint8_t)('a' + draw() % 26);
        memcpy(query + 23, "\7example\0\0\1\0\1", 13);
        e.destination_port = 53;
        packet(time, 17, e, 0, query, 36);
        query[2] = 0x81, query[3] = 0x83;  // no such name
        packet(time, 17, turned(e), 0, query, 36);
    } else {
        const struct ends scan = {0xc6336401u, 0xc0000300u + number / 65000, (uint16_t)(number % 7 + 40000),
                                  (uint16_t)(1 + number % 65000)};
        packet(time, 6, scan, FLAG_SYN, NULL, 0);
        packet(time, 6, turned(scan), FLAG_RST | FLAG_ACK, NULL, 0);
    }
}

int main(int count, char** words) {
    static const char* const kKinds[] = {"syn", "dns", "scan", "mix"};
    int kind = 0;
    if (count != 6) return 2;
    while (kind <= MIX && strcmp(words[1], kKinds[kind]) != 0) ++kind;
    if (kind > MIX) return 2;
    const unsigned flows = (unsigned)strtoul(words[2], NULL, 10), open = (unsigned)strtoul(words[4], NULL, 10);
    const double seconds = atof(words[3]);
    state = strtoul(words[5], NULL, 10);
    static const uint32_t kHeader[6] = {0xa1b2c3d4u, 4 << 16 | 2, 0, 0, 262144, 1};
    fwrite(kHeader, sizeof kHeader, 1, stdout);
    connections(0.1, open, FLAG_SYN, 0);
    connections(0.2, open, FLAG_SYN | FLAG_ACK, 1);
    connections(0.3, open, FLAG_ACK, 0);
    int later = 0;
    for (unsigned number = 0; number < flows; ++number) {
        const double time = 1 + (seconds - 1) * number / flows;
        if (time >= seconds * (later + 1) / LATER) connections(time, open, FLAG_ACK, ++later % 2);
        of_flood(kind, number, time);
    }
    connections(seconds, open, FLAG_ACK, 0);
    return fflush(stdout) != 0 || ferror(stdout);
}
