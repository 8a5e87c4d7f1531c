/* SPDX-License-Identifier: Apache-2.0 */
/* Appends a line with the flows so far and the octets of a batch to the file of the setting `file`. */
#include <inttypes.h>
#include <nfstreamd_exporter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct counts {
    const nfstreamd_host* host;
    const char* path;
    FILE* file;
    size_t octets_field;
    uint64_t flows;
};

static int create(const nfstreamd_host* host, void** instance, nfstreamd_error* error) {
    struct counts* c = calloc(1, sizeof *c);
    if (!c) return NFSTREAMD_UNAVAILABLE;
    c->host = host;
    for (size_t i = 0; i < host->settings; ++i)
        if (strcmp(host->setting[i]->name, "file") == 0) c->path = host->setting[i]->value;
    while (c->octets_field < host->fields && strcmp(host->field[c->octets_field]->column, "bidirectional_bytes") != 0)
        ++c->octets_field;
    *instance = c;
    if (c->path && c->octets_field < host->fields) return NFSTREAMD_OK;
    snprintf(error->text, sizeof error->text, "needs a setting file=PATH and the field bidirectional_bytes");
    free(c);
    return NFSTREAMD_INVALID;
}

static int open_file(void* instance, nfstreamd_error* error) {
    struct counts* c = instance;
    if (!c->file && !(c->file = fopen(c->path, "a")))
        snprintf(error->text, sizeof error->text, "cannot open %s", c->path);
    return c->file ? NFSTREAMD_OK : NFSTREAMD_UNAVAILABLE;
}

static int write_batch(void* instance, const nfstreamd_batch* batch, size_t from, size_t* consumed,
                       nfstreamd_error* error) {
    struct counts* c = instance;
    uint64_t octets = 0;
    for (size_t i = from; i < batch->records; ++i) {
        nfstreamd_value value;
        batch->read(batch, i, c->octets_field, 1, &value);
        if (value.type == NFSTREAMD_UNSIGNED) octets += value.as.u;
    }
    if (fprintf(c->file, "%" PRIu64 " %" PRIu64 "\n", c->flows + (batch->records - from), octets) < 0) {
        snprintf(error->text, sizeof error->text, "cannot write %s", c->path);
        return NFSTREAMD_UNAVAILABLE;
    }
    c->flows += batch->records - from;
    *consumed = batch->records;
    return NFSTREAMD_OK;
}

static int flush_file(void* instance, nfstreamd_error* error) {
    (void)error;
    return fflush(((struct counts*)instance)->file) == 0 ? NFSTREAMD_OK : NFSTREAMD_UNAVAILABLE;
}

static size_t close_file(void* instance) {
    struct counts* c = instance;
    if (c->file) fclose(c->file);
    free(c);
    return 0;
}

const nfstreamd_exporter_plugin* nfstreamd_exporter(uint32_t abi) {
    static const nfstreamd_exporter_plugin plugin = {
        NFSTREAMD_EXPORTER_ABI, sizeof plugin, "1.0", create, open_file, write_batch, NULL, flush_file, close_file};
    return abi == NFSTREAMD_EXPORTER_ABI ? &plugin : NULL;
}
