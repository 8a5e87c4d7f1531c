// SPDX-License-Identifier: Apache-2.0
// What the numbers in flow records are called: applications (RFC 6759, 4.1) and
// interfaces. Pure.
#pragma once
#include <span>

#include "core/record/process_facts.hpp"
#include "exporters/options/options_profile.hpp"
#include "exporters/options/options_template.hpp"

namespace nfstreamd::exporters {

OptionsTable application_options(const OptionsProfile& profile, const ApplicationList& applications);
OptionsTable interface_options(const OptionsProfile& profile, std::span<const InterfaceInfo> interfaces);

}  // namespace nfstreamd::exporters
