// SPDX-License-Identifier: Apache-2.0
// Throws from the function that the setting `where` names; `what=number`: no std::exception.
#include <stdexcept>
#include <string>

#include "minimal.h"

namespace {

void throw_in(void* instance, const char* where) {
    const auto* host = static_cast<const nfstreamd_host*>(instance);
    if (std::string(setting(host, "where")) != where) return;
    if (std::string(setting(host, "what")) == "number") throw 42;
    throw std::runtime_error("a broken promise");
}

int create(const nfstreamd_host* host, void** instance, nfstreamd_error*) {
    *instance = const_cast<nfstreamd_host*>(host);
    throw_in(*instance, "create");
    return NFSTREAMD_OK;
}

int open(void* instance, nfstreamd_error*) {
    throw_in(instance, "open");
    return NFSTREAMD_OK;
}

int write(void* instance, const nfstreamd_batch* batch, size_t, size_t* consumed, nfstreamd_error*) {
    throw_in(instance, "write");
    *consumed = batch->records;
    return NFSTREAMD_OK;
}

int pause(void* instance, nfstreamd_error*) {
    throw_in(instance, "pause");
    return NFSTREAMD_OK;
}

int flush(void* instance, nfstreamd_error*) {
    throw_in(instance, "flush");
    return NFSTREAMD_OK;
}

size_t close(void* instance) {
    throw_in(instance, "close");
    return 0;
}

}  // namespace

extern "C" const nfstreamd_exporter_plugin* nfstreamd_exporter(uint32_t) {
    static const nfstreamd_exporter_plugin plugin{
        NFSTREAMD_EXPORTER_ABI, sizeof plugin, "1.0", create, open, write, pause, flush, close};
    return &plugin;
}
