/* SPDX-License-Identifier: Apache-2.0 */
/* Crashes when it is loaded. */
#include "minimal.h"

const nfstreamd_exporter_plugin* nfstreamd_exporter(uint32_t abi) {
    volatile int* nowhere = NULL;
    *nowhere = (int)abi;
    return NULL;
}
