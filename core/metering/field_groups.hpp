// SPDX-License-Identifier: Apache-2.0
// The groups of fields that records have which are made with these options. Pure.
#pragma once
#include "core/metering/metering_options.hpp"
#include "core/record/template.hpp"

namespace nfstreamd {

FieldGroups field_groups(const MeteringOptions& options);

}  // namespace nfstreamd
