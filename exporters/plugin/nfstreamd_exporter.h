/* SPDX-License-Identifier: Apache-2.0 */
/* What an exporter in a shared object of its own is: nfstreamd loads it for an
 * exporter of type `plugin` and hands it flow records as arrays of typed values.
 *
 * The object exports one function, nfstreamd_exporter(). All calls for one
 * instance are made by one thread, one after the other, so that they may block,
 * but no longer than a few seconds. Two exporters that name the same object are
 * two instances, each with a thread of its own. Nothing that is handed in may be
 * kept after the call, but for the `host` of create(), which lives as long as
 * the instance. No exception may leave a function.
 *
 * Version 1 stays as it is: members are added at the end of structs, and `size`
 * tells how far one goes; new values of enumerations may come. */
#ifndef NFSTREAMD_EXPORTER_H
#define NFSTREAMD_EXPORTER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NFSTREAMD_EXPORTER_ABI 1

/* What a call came to. */
enum {
    NFSTREAMD_OK = 0,
    NFSTREAMD_BUSY = 1,        /* slow but sound: the rest of the batch comes again at once */
    NFSTREAMD_UNAVAILABLE = 2, /* it will get better: open() is called again, later and later */
    NFSTREAMD_INVALID = 3      /* the settings are wrong: a file run ends; live it is tried again as above */
};

/* Types of values. A field has one type in all records, or nothing there. */
enum {
    NFSTREAMD_ABSENT = 0,
    NFSTREAMD_UNSIGNED = 1, /* u */
    NFSTREAMD_SIGNED = 2,   /* i */
    NFSTREAMD_FLOAT = 3,    /* f */
    NFSTREAMD_BOOLEAN = 4,  /* u: 0 or 1 */
    NFSTREAMD_TEXT = 5,     /* text, `length` octets without a 0 behind them; any octets, mostly UTF-8 */
    NFSTREAMD_ADDRESS = 6,  /* octets, `length` 4 or 16, in network byte order */
    NFSTREAMD_MAC = 7,      /* octets, `length` 6 */
    NFSTREAMD_LIST = 8      /* list, `length` numbers */
};

typedef struct nfstreamd_value {
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
} nfstreamd_value; /* 24 octets, for good */

/* A field of the exporter's `fields`, in that order. */
typedef struct nfstreamd_field {
    uint32_t size;           /* of this struct */
    uint32_t type;           /* of its values */
    const char* column;      /* "src2dst_bytes", as in CSV */
    const char* element;     /* "octetDeltaCount", its information element; "" without one */
    uint32_t enterprise;     /* of the element, 0 is IANA's; in IPFIX of IPv4 */
    uint16_t element_id;     /* 0: none */
    uint16_t element_id_v6;  /* the same of IPv6, mostly equal */
    const char* units;       /* "octets"; "" without any */
    const char* description; /* one sentence */
} nfstreamd_field;

typedef struct nfstreamd_setting { /* of the list `settings`: "name=value" */
    const char* name;
    const char* value;
} nfstreamd_setting;

enum { NFSTREAMD_LOG_DEBUG = 0, NFSTREAMD_LOG_INFO = 1, NFSTREAMD_LOG_WARNING = 2, NFSTREAMD_LOG_ERROR = 3 };

typedef struct nfstreamd_host {
    uint32_t abi;     /* of nfstreamd; NFSTREAMD_EXPORTER_ABI */
    uint32_t size;    /* of this struct */
    const char* name; /* of the exporter in the configuration */
    size_t fields, settings;
    const nfstreamd_field* const* field;     /* `fields` of them */
    const nfstreamd_setting* const* setting; /* `settings` of them, in their order */
    /* A line of nfstreamd's log; any thread. */
    void (*log)(const struct nfstreamd_host* host, uint32_t level, const char* message);
} nfstreamd_host;

typedef struct nfstreamd_batch {
    uint32_t size;        /* of this struct */
    uint32_t patience_ms; /* for so long write() may wait for a slow receiver, then it says BUSY */
    size_t records;
    /* Reads `count` fields from number `first` on of record number `record`. The
     * values, and what they point to, are good until the next read. What does
     * not exist is ABSENT. */
    void (*read)(const struct nfstreamd_batch* batch, size_t record, size_t first, size_t count,
                 nfstreamd_value* values);
} nfstreamd_batch;

/* Why a call failed, as text with a 0 at its end; empty at first. */
typedef struct nfstreamd_error {
    char text[256];
} nfstreamd_error;

typedef struct nfstreamd_exporter_plugin {
    uint32_t abi;        /* NFSTREAMD_EXPORTER_ABI */
    uint32_t size;       /* of this struct */
    const char* version; /* of the plugin, for the log */

    /* Reads the settings, opens nothing. With OK `*instance` is what the other
     * calls get. Else there is none, and INVALID means that a setting is wrong. */
    int (*create)(const nfstreamd_host* host, void** instance, nfstreamd_error* error);
    /* Connect, create the file. Called again after a failure of any call, without
     * close() between: what is buffered may go on. */
    int (*open)(void* instance, nfstreamd_error* error);
    /* Takes the records from number `from` on. `*consumed` comes in as `from` and
     * goes out behind the last record that was taken: all of them with OK. What is
     * taken counts as sent, unless close() says that it was not. */
    int (*write)(void* instance, const nfstreamd_batch* batch, size_t from, size_t* consumed, nfstreamd_error* error);
    /* There is no more for the moment: what is complete may leave. May be null. */
    int (*pause)(void* instance, nfstreamd_error* error);
    /* Send what is buffered: each flush_interval, and before the end. May be null. */
    int (*flush)(void* instance, nfstreamd_error* error);
    /* Disconnects and frees the instance. Returns how many of the records that
     * were taken have not been delivered. The object is unloaded then: its
     * threads must have ended. */
    size_t (*close)(void* instance);
} nfstreamd_exporter_plugin;

/* Null: this plugin does not go with a nfstreamd of that version. The table lives as long as the object is loaded. */
const nfstreamd_exporter_plugin* nfstreamd_exporter(uint32_t abi);

#ifdef __cplusplus
}
#endif
#endif
