/* SPDX-License-Identifier: Apache-2.0 */
/* The rest of a plugin, for those that differ in one function: takes all records and does nothing with them. */
#ifndef NFSTREAMD_TESTS_MINIMAL_H
#define NFSTREAMD_TESTS_MINIMAL_H
#include <nfstreamd_exporter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of a setting, "" when it is not given. */
static inline const char* setting(const nfstreamd_host* host, const char* name) {
    for (size_t i = 0; i < host->settings; ++i)
        if (strcmp(host->setting[i]->name, name) == 0) return host->setting[i]->value;
    return "";
}

static inline int fails(nfstreamd_error* error, int code, const char* why) {
    snprintf(error->text, sizeof error->text, "%s", why);
    return code;
}

static inline int minimal_create(const nfstreamd_host* host, void** instance, nfstreamd_error* error) {
    (void)error;
    *instance = (void*)host;
    return NFSTREAMD_OK;
}

static inline int minimal_open(void* instance, nfstreamd_error* error) {
    (void)instance, (void)error;
    return NFSTREAMD_OK;
}

static inline int minimal_write(void* instance, const nfstreamd_batch* batch, size_t from, size_t* consumed,
                                nfstreamd_error* error) {
    (void)instance, (void)from, (void)error;
    *consumed = batch->records;
    return NFSTREAMD_OK;
}

static inline size_t minimal_close(void* instance) {
    (void)instance;
    return 0;
}
#endif
