// SPDX-License-Identifier: Apache-2.0
// Files, drop-ins, -r and --set become one tree. Works on what was read; knows
// the shape of the blocks, not their settings. One thread.
#pragma once
#include <memory>
#include <span>
#include <string>

#include "config/node.hpp"

namespace nfstreamd::config {

// Merges a document over `root`, a map: maps key by key, later wins; entries of
// `capture` and `exporters` append, but an exporter merges over the former one
// of the same name. A key with nothing after it counts as not written. Blocks
// of the wrong shape are reported and left out.
void merge_document(Node& root, Node document, Problems& problems);

// A -r run: one capture of these files, with what else the first entry says.
void use_read_files(Node& root, std::span<const std::string> files, const std::shared_ptr<const Source>& source);

// --set KEY=VALUE. Replaces a value or a list; a map merges.
void apply_override(Node& root, const std::string& key, Node value, Problems& problems);

// `name` of an entry of `exporters`, or its `type`, which is the default name.
std::string exporter_name(const Node& entry);

}  // namespace nfstreamd::config
