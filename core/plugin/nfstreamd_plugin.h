/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin in a shared object of its own is: nfstreamd shows it each packet
 * of each flow, and it adds fields to the flow's record or ends the flow. The
 * same in C++ with less to write: nfstreamd_plugin.hpp.
 *
 * The object exports one function, nfstreamd_plugin(). There is one instance for
 * each meter, and one more for a moment whenever a configuration is checked. All
 * calls for one instance are made one after the other, by one thread at a time:
 * no locks are needed for what belongs to it. They are made while packets wait,
 * so a call takes microseconds at most; an instance that fails or is slow too
 * often is called no more, and counted.
 *
 * Nothing that is handed in may be kept after the call, but for the `host` of
 * open(), which lives as long as the instance. No exception should leave a
 * function; one that does counts as a failure of the call.
 *
 * Version 1 stays as it is: members are added at the end of structs, and
 * struct_size tells how far one goes; new values of enumerations may come. */
#ifndef NFSTREAMD_PLUGIN_H
#define NFSTREAMD_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NFSTREAMD_PLUGIN_ABI 1

/* What a call came to. */
enum { NFD_OK = 0, NFD_FAILED = 1 };

/* Types of values. */
enum {
    NFD_ABSENT = 0,   /* no value */
    NFD_UNSIGNED = 1, /* u */
    NFD_SIGNED = 2,   /* i */
    NFD_FLOAT = 3,    /* f */
    NFD_BOOLEAN = 4,  /* u: 0 or 1 */
    NFD_TEXT = 5,     /* text, `length` octets without a 0 behind them; UTF-8 */
    NFD_ADDRESS = 6,  /* octets, `length` 4 or 16, in network byte order */
    NFD_MAC = 7,      /* octets, `length` 6 */
    NFD_LIST = 8,     /* list, `length` numbers */
    NFD_ANY = 9       /* of a field alone: each value has a type of its own; a text in IPFIX */
};

typedef struct nfd_value {
    uint32_t type;
    uint32_t length;
    union {
        uint64_t u;
        int64_t i;
        double f;
        const char* text;
        const int32_t* list;
        uint8_t octets[16];
    } as;
} nfd_value; /* 24 octets, for good */

/* Bits of tcp_flags. */
enum { NFD_FIN = 1, NFD_SYN = 2, NFD_RST = 4, NFD_PSH = 8, NFD_ACK = 16, NFD_URG = 32, NFD_ECE = 64, NFD_CWR = 128 };

/* Parts of nfd_packet, for packet_parts of nfd_plugin. */
enum {
    NFD_PACKET_BASICS = 1,    /* direction to tcp_flags: always there */
    NFD_PACKET_TIMES = 2,     /* time_ns to delta_time */
    NFD_PACKET_SIZES = 4,     /* raw_size to capture_length */
    NFD_PACKET_ENDPOINTS = 8, /* src_port to dst_mac: ports, VLAN, tunnel, addresses */
    NFD_PACKET_OCTETS = 16    /* ip_packet to transport_offset */
};

/* nfstream's NFPacket. Addresses, ports and hardware addresses are those of the
 * packet's sender (src) and receiver (dst). Names of older generations of nfstream are in brackets. */
typedef struct nfd_packet {
    uint32_t struct_size;
    uint8_t direction;  /* 0 from the flow's source, 1 to it */
    uint8_t ip_version; /* 4 or 6 [version] */
    uint8_t protocol;   /* of the transport, IANA's number [ip_protocol] */
    uint8_t tcp_flags;  /* 0 when not TCP [tcp_flags; tcpflags.ack and so on] */
    int64_t time_ns;
    int64_t time;        /* milliseconds since 1970 */
    uint64_t delta_time; /* milliseconds since the flow's packet before, 0 of the first */
    uint32_t raw_size;   /* of the frame on the link [length, size] */
    uint32_t ip_size;    /* as nfstream counts: IPv4 with its header, IPv6 without */
    uint32_t transport_size;
    uint32_t payload_size;
    uint32_t capture_length; /* octets of the frame that were captured [capture_length] */
    uint16_t src_port, dst_port;
    uint16_t vlan_id;
    uint8_t tunnel_id; /* 0 none, 1 GTP, 2 CAPWAP, 3 TZSP; others are nfstreamd's own */
    uint8_t reserved;
    const uint8_t* src_address; /* 4 or 16 octets, in network byte order [src_ip; ip_src as a number] */
    const uint8_t* dst_address;
    const uint8_t* src_mac; /* 6 octets, of the flow's first packet; zeros when the link has none */
    const uint8_t* dst_mac;
    const uint8_t* ip_packet;  /* as captured, from the (innermost) IP header on [raw] */
    uint32_t ip_packet_length; /* padding of the link included */
    uint32_t transport_offset; /* of the transport header, in ip_packet; may lie behind its end */
} nfd_packet;

/* A flow in one call. */
typedef struct nfd_flow nfd_flow;

/* A field that the plugin fills; columns are called udps.NAME. */
typedef struct nfd_field {
    uint32_t struct_size;
    uint32_t type;
    const char* name;         /* letters, digits and _ */
    const char* description;  /* one sentence */
    const char* units;        /* "milliseconds"; null or "": none */
    uint32_t is_volatile;     /* 1: other plugins may read it, it is not exported */
    uint32_t element_pen;     /* information element of IPFIX; with number 0 one of private_enterprise_number's */
    uint32_t element_id;      /* that follows from the name; with PEN 0xffffffff: this one of them */
    const char* element_name; /* null or "": made of the name */
} nfd_field;

enum { NFD_LOG_DEBUG = 0, NFD_LOG_INFO = 1, NFD_LOG_WARNING = 2, NFD_LOG_ERROR = 3 };

typedef struct nfd_host {
    uint32_t abi; /* of nfstreamd; NFSTREAMD_PLUGIN_ABI */
    uint32_t struct_size;
    const char* name;     /* of the plugin in the configuration */
    const char* settings; /* what the configuration tells it, as JSON text; "{}": nothing */
    const char* meter;    /* "eth0/1"; "" when the configuration is only checked */
    uint32_t checks;      /* 1: nobody will show it a packet, fields are asked for */
    uint32_t reserved;

    /* ---- during open() ---- */
    /* Octets for the plugin's own use in every flow, zero when it begins. */
    void (*reserve_flow_state)(const struct nfd_host* host, size_t octets);
    /* The number by which the field is set and got, or -1: open() should fail then. */
    int (*declare_field)(const struct nfd_host* host, const nfd_field* field);
    /* Something to read of flows: any column of --list-fields, "udps.NAME" of plugins that come before
     * included. The number for read(), or -1 when there is no such column. */
    int (*find_column)(const struct nfd_host* host, const char* column);

    /* ---- any time ---- */
    /* A line of nfstreamd's log. */
    void (*log)(const struct nfd_host* host, uint32_t level, const char* message);
    /* Why the call that is under way is about to fail. */
    void (*explain)(const struct nfd_host* host, const char* reason);

    /* ---- during calls for a flow ---- */
    /* As it stands, this packet included: counters, and what statistical_analysis,
     * splt_analysis and n_dissections give when they are on. ABSENT: has no value.
     * What the value points to is good during the call. */
    int (*read)(const nfd_flow* flow, int column, nfd_value* value);
    /* Own fields. A value is copied, stays until it is set again, and goes into the
     * record. NFD_FAILED: the type is not the field's, or there is no such field. ABSENT takes it back. */
    int (*set)(nfd_flow* flow, int field, const nfd_value* value);
    int (*get)(const nfd_flow* flow, int field, nfd_value* value);
    /* Not in on_expire(): the flow ends with this packet; the number, which is
     * negative, becomes its expiration_id. */
    int (*expire)(nfd_flow* flow, int32_t expiration_id);
    uint64_t (*packets)(const nfd_flow* flow); /* bidirectional_packets, without further ado */
} nfd_host;

typedef struct nfd_plugin {
    uint32_t abi; /* NFSTREAMD_PLUGIN_ABI */
    uint32_t struct_size;
    const char* version; /* of the plugin, for the log */

    /* Reads the settings, declares fields. With NFD_OK `*instance` is what the other calls get. */
    int (*open)(const nfd_host* host, void** instance);
    /* nfstream's cleanup: once for each instance. */
    void (*close)(void* instance);

    /* `state`: the octets that are reserved in this flow. NFD_FAILED is counted. May be null. */
    int (*on_init)(void* instance, const nfd_packet* packet, nfd_flow* flow, void* state);   /* the first packet */
    int (*on_update)(void* instance, const nfd_packet* packet, nfd_flow* flow, void* state); /* each later one */
    int (*on_expire)(void* instance, nfd_flow* flow, void* state);                           /* once, at the end */
    /* The flow ends without a record, or after the instance was disabled: what its state holds is to be freed. */
    void (*on_discard)(void* instance, void* state);

    /* Bits NFD_PACKET_...: what on_init and on_update read of a packet. What they do not name is zero and null then,
     * and costs no time; bits that nfstreamd does not know it ignores. 0: all. */
    uint32_t packet_parts;
    uint32_t reserved; /* 0 */
} nfd_plugin;

/* Null: this plugin does not go with a nfstreamd of that version. The table lives as long as the object is loaded. */
const nfd_plugin* nfstreamd_plugin(uint32_t abi);

#ifdef __cplusplus
}
#endif
#endif
