// SPDX-License-Identifier: Apache-2.0
// The columns of a generation of nfstream: aliases onto rows of the field table,
// made into rows of their own once, so that encoders need not know. Constant.
#pragma once
#include <string>

#include "core/record/generation.hpp"
#include "core/record/template.hpp"

namespace nfstreamd {

// Its columns of the groups that are on, in its order. Older generations have
// no columns for statistics, sequences and tunnels.
FieldSelection schema_fields(Generation schema, const FieldGroups& groups);

std::string schemas_markdown();  // part of FIELDS.md

}  // namespace nfstreamd
