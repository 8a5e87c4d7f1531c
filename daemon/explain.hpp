// SPDX-License-Identifier: Apache-2.0
// What a reload would cost, setting by setting: --explain-reload. Pure.
#pragma once
#include <string>

#include "config/config.hpp"

namespace nfstreamd::daemon {

// A line for each setting that differs, then what the reload would do as a whole, by the plan that it would go by.
std::string explain_reload(const config::Config& running, const config::Config& wanted);

}  // namespace nfstreamd::daemon
