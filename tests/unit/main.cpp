// SPDX-License-Identifier: Apache-2.0
// The one main of nfstreamd_unit; doctest brings it.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
