/* SPDX-License-Identifier: Apache-2.0 */
/* Writes names and types of all fields, then all values of each record, as lines of text with tabs between. */
#include <inttypes.h>

#include "minimal.h"

enum { kMost = 512 };

struct state {
    const nfstreamd_host* host;
    FILE* file;
    nfstreamd_value values[kMost];
};

static int create(const nfstreamd_host* host, void** instance, nfstreamd_error* error) {
    struct state* state;
    if (host->fields > kMost) return fails(error, NFSTREAMD_INVALID, "too many fields");
    state = calloc(1, sizeof *state);
    if (!state) return NFSTREAMD_UNAVAILABLE;
    state->host = host;
    *instance = state;
    host->log(host, NFSTREAMD_LOG_WARNING, setting(host, "greeting"));
    return NFSTREAMD_OK;
}

static int open_file(void* instance, nfstreamd_error* error) {
    struct state* state = instance;
    if (state->file) return NFSTREAMD_OK;
    state->file = fopen(setting(state->host, "file"), "w");
    if (!state->file) return fails(error, NFSTREAMD_UNAVAILABLE, "cannot open the file");
    for (size_t i = 0; i < state->host->fields; ++i) {
        const nfstreamd_field* field = state->host->field[i];
        fprintf(state->file, "%s%s:%" PRIu32 ":%" PRIu32 "/%u", i ? "\t" : "", field->column, field->type,
                field->enterprise, (unsigned)field->element_id);
    }
    fputc('\n', state->file);
    return NFSTREAMD_OK;
}

static void octets(FILE* file, const nfstreamd_value* value) {
    for (uint32_t i = 0; i < value->length; ++i) fprintf(file, "%02x", (unsigned)value->as.octets[i]);
}

static void print(FILE* file, const nfstreamd_value* value) {
    switch (value->type) {
        case NFSTREAMD_UNSIGNED:
        case NFSTREAMD_BOOLEAN:
            fprintf(file, "%" PRIu64, value->as.u);
            break;
        case NFSTREAMD_SIGNED:
            fprintf(file, "%" PRId64, value->as.i);
            break;
        case NFSTREAMD_FLOAT:
            fprintf(file, "%.17g", value->as.f);
            break;
        case NFSTREAMD_TEXT:
            fwrite(value->as.text, 1, value->length, file);
            break;
        case NFSTREAMD_ADDRESS:
        case NFSTREAMD_MAC:
            octets(file, value);
            break;
        case NFSTREAMD_LIST:
            for (uint32_t i = 0; i < value->length; ++i) fprintf(file, "%s%" PRId32, i ? "," : "", value->as.list[i]);
            break;
        default:
            break;
    }
}

static int write_all(void* instance, const nfstreamd_batch* batch, size_t from, size_t* consumed,
                     nfstreamd_error* error) {
    struct state* state = instance;
    const size_t fields = state->host->fields;
    (void)error;
    for (size_t record = from; record < batch->records; ++record) {
        batch->read(batch, record, 0, fields, state->values);
        for (size_t i = 0; i < fields; ++i) {
            if (i) fputc('\t', state->file);
            print(state->file, &state->values[i]);
        }
        fputc('\n', state->file);
    }
    *consumed = batch->records;
    return NFSTREAMD_OK;
}

static size_t close_file(void* instance) {
    struct state* state = instance;
    if (state->file) fclose(state->file);
    free(state);
    return 0;
}

const nfstreamd_exporter_plugin* nfstreamd_exporter(uint32_t abi) {
    static const nfstreamd_exporter_plugin plugin = {
        NFSTREAMD_EXPORTER_ABI, sizeof plugin, "1.0", create, open_file, write_all, NULL, NULL, close_file};
    (void)abi;
    return &plugin;
}
