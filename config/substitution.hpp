// SPDX-License-Identifier: Apache-2.0
// `${ENV}` inside values, and `!file PATH` values. Reads the environment and
// files; done once per text, before values are merged.
#pragma once
#include <string>

#include "config/node.hpp"
#include "core/base/result.hpp"

namespace nfstreamd::config {

// The whole of a file, at most `limit` octets. Error::message has no place.
Result<std::string> read_text_file(const std::string& path, std::size_t limit);

// In all scalars of the tree; keys stay as they are. A scalar that cannot be
// resolved becomes kBroken, the reason goes to `problems`.
void substitute(Node& node, const std::string& key, Problems& problems);

// Text that substitute() turns back into `text`.
std::string escape_variables(const std::string& text);

}  // namespace nfstreamd::config
