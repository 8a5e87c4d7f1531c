// SPDX-License-Identifier: Apache-2.0
// An exporter with several collectors and the policy copy or hash is one exporter
// for each: a queue, a thread, a session and counters of its own, so that none of
// them can hold up another. Pure.
#pragma once
#include "config/config.hpp"

namespace nfstreamd::daemon {

// The first keeps the name, so that more collectors behind it leave it as it is;
// the others are NAME/2, NAME/3. With hash each gets the flows of its share.
void spread_collectors(config::Config& config);

}  // namespace nfstreamd::daemon
