// SPDX-License-Identifier: Apache-2.0
// What outlives nDPI's state of a flow: its texts and details, packed into one
// block from the verdict until the flow ends. Never passwords: fields that may
// hold one are not read, and URLs are rid of them.
#pragma once
#include <string>
#include <string_view>

#include "core/base/arena.hpp"
#include "core/record/flow_record.hpp"

struct ndpi_flow_struct;

namespace nfstreamd {

// A block of std::malloc, or null when there is nothing to keep.
char* keep_texts(const ndpi_flow_struct& flow, ApplicationFamily family, bool details);

// Into `record`, whose strings then lie in `arena`. The block, which may be
// null, was kept with the same `details`.
void restore_texts(const char* block, bool details, Arena& arena, ApplicationRecord& record);

// The URL without "user:password@", and without the values of query parameters
// whose name contains "pass" or "pwd".
std::string without_secrets(std::string_view url);

}  // namespace nfstreamd
