// SPDX-License-Identifier: Apache-2.0
// Sends UDP packets over Ethernet whose flows have running numbers, at a rate.
//
// usage: number_sender DEVICE PACKETS_PER_SECOND COUNT PACKETS_PER_FLOW [FIRST [FLOWS_AT_ONCE]]
//
// FIRST is the number of the first packet, 0 as a rule; packets of so many flows take turns, of one as a rule.
// A flow's number is the lower three octets of its source address. Its destination port is 9998 for one flow of 16,
// 9997 for another one, 9999 for the rest. The packets of a flow have sizes of their own, so that its octets tell which
// of them were seen. Prints how many were sent; SIGTERM ends it before that.
#define _GNU_SOURCE  // sendmmsg
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 32, SMALLEST = 60, LARGEST = SMALLEST + 256 };

static volatile sig_atomic_t ends;
static void end(int number) {
    (void)number;
    ends = 1;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void put16(uint8_t* at, unsigned value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

// A header of 14 + 20 + 8 octets is in front of what is in `frame` already.
static size_t make(uint8_t* frame, unsigned long number, unsigned long per_flow, unsigned long at_once) {
    const unsigned long flow = number / (per_flow * at_once) * at_once + number % at_once;
    const size_t size = SMALLEST + number / at_once % per_flow;
    put16(frame + 16, (unsigned)(size - 14));
    frame[27] = (uint8_t)(flow >> 16);
    put16(frame + 28, (unsigned)(flow & 0xffff));
    put16(frame + 36, flow % 16 == 1 ? 9998 : flow % 16 == 2 ? 9997 : 9999);
    put16(frame + 38, (unsigned)(size - 34));
    return size;
}

int main(int count, char** words) {
    static const uint8_t kHeader[42] = {2, 0,  0,  0, 0, 2,  2, 0, 0, 0,   0, 1, 8, 0,    0x45, 0, 0, 0, 0, 0, 0,
                                        0, 64, 17, 0, 0, 10, 0, 0, 0, 192, 0, 2, 1, 0x9c, 0x40, 0, 0, 0, 0, 0, 0};
    static uint8_t frames[BATCH][LARGEST];
    static struct mmsghdr messages[BATCH];
    static struct iovec parts[BATCH];
    if (count < 5 || count > 7) return 2;
    const double rate = atof(words[2]);
    const unsigned long packets = strtoul(words[3], NULL, 10), per_flow = strtoul(words[4], NULL, 10);
    const unsigned long first = count > 5 ? strtoul(words[5], NULL, 10) : 0;
    const unsigned long at_once = count > 6 ? strtoul(words[6], NULL, 10) : 1;
    if (per_flow == 0 || per_flow > LARGEST - SMALLEST || at_once == 0) return 2;
    signal(SIGTERM, end);
    for (int i = 0; i < BATCH; ++i) {
        memset(frames[i], 0x5a, LARGEST);
        memcpy(frames[i], kHeader, sizeof kHeader);
        parts[i].iov_base = frames[i];
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int link = socket(AF_PACKET, SOCK_RAW, 0);
    const struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(words[1])};
    if (link < 0 || to.sll_ifindex == 0 || bind(link, (const struct sockaddr*)&to, sizeof to) != 0) {
        perror(words[1]);
        return 1;
    }
    const double begin = now();
    unsigned long sent = 0;
    while (sent < packets && !ends) {
        const double ahead = (double)sent / rate - (now() - begin);
        if (ahead > 0) {
            const struct timespec pause = {(time_t)ahead, (long)((ahead - (double)(time_t)ahead) * 1e9)};
            nanosleep(&pause, NULL);
        }
        unsigned batch = packets - sent < BATCH ? (unsigned)(packets - sent) : BATCH;
        for (unsigned i = 0; i < batch; ++i) parts[i].iov_len = make(frames[i], first + sent + i, per_flow, at_once);
        for (unsigned done = 0; done < batch;) {
            const int some = sendmmsg(link, messages + done, batch - done, 0);
            if (some > 0) {
                done += (unsigned)some;
            } else if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
                perror("sendmmsg");
                return 1;
            }
        }
        sent += batch;
    }
    printf("%lu packets in %.2f s\n", sent, now() - begin);
    return 0;
}
