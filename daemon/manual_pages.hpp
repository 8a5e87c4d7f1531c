// SPDX-License-Identifier: Apache-2.0
// nfstreamd(8) and nfstreamctl(1), from the tables of options and commands and
// from what --help says. Printed at build time into packaging/man/. Pure.
#pragma once
#include <string>

namespace nfstreamd::daemon {

std::string nfstreamd_manual_page();
std::string nfstreamctl_manual_page();

}  // namespace nfstreamd::daemon
