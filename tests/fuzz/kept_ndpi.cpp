// SPDX-License-Identifier: Apache-2.0
// nDPI's detection module takes longer to make than a thousand packets to meter:
// here one is given back to the next run instead of being freed, and a new one
// is made after some thousand runs. These stand in front of the library's own.
#include <dlfcn.h>

#include <utility>

#include "core/application/ndpi_compat.hpp"
#include "tests/fuzz/promises.hpp"

#if NFSTREAMD_NDPI_VERSION == 402 && !defined(NFSTREAMD_NDPI_STATIC)

namespace {

using nfstreamd::ndpi::Module;

constexpr int kRuns = 4096;
Module* kept = nullptr;  // finalised, in nobody's hands
Module* lent = nullptr;  // had been finalised before it was taken
int runs = 0;

template <class Function>
Function* library_function(Function*, const char* name) {
    const auto found = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
    nfstreamd::fuzz::require(found != nullptr, "the library has its functions");
    return found;
}

}  // namespace

#define LIBRARY(name) library_function(&name, #name)

extern "C" {

Module* ndpi_init_detection_module(ndpi_init_prefs preferences) {
    if (kept != nullptr) return lent = std::exchange(kept, nullptr);
    return LIBRARY(ndpi_init_detection_module)(preferences);
}

void ndpi_set_protocol_detection_bitmask2(Module* module, const NDPI_PROTOCOL_BITMASK* protocols) {
    if (module != lent) LIBRARY(ndpi_set_protocol_detection_bitmask2)(module, protocols);
}

void ndpi_finalize_initialization(Module* module) {
    if (module != lent) LIBRARY(ndpi_finalize_initialization)(module);
}

void ndpi_exit_detection_module(Module* module) {
    lent = nullptr;
    if (kept == nullptr && ++runs % kRuns != 0)
        kept = module;
    else
        LIBRARY(ndpi_exit_detection_module)(module);
}
}

#endif
