/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin whose table is the fuzzer's, which loads this object as any other. */
#include "core/plugin/nfstreamd_plugin.h"

const nfd_plugin* fuzzer_plugin(uint32_t abi); /* of the program */

const nfd_plugin* nfstreamd_plugin(uint32_t abi) {
    return fuzzer_plugin(abi);
}
