// SPDX-License-Identifier: Apache-2.0
// YAML text to a tree of nodes with places. The only door to yaml-cpp: its
// exceptions stop here. The text may be hostile; size, depth and the number of
// nodes are bounded, anchors and aliases refused.
#pragma once
#include <memory>
#include <string_view>

#include "config/node.hpp"

namespace nfstreamd::config {

inline constexpr std::size_t kMaxYamlOctets = 4u << 20;

// kNull for an empty text. What is wrong goes to `problems`; after a syntax
// error the node is kBroken.
Node read_yaml(std::string_view text, const std::shared_ptr<const Source>& source, Problems& problems);

// The value of one setting outside of a file: as read_yaml(), but an empty text
// is an empty string, and "-" is no list.
Node read_yaml_value(std::string_view text, const std::shared_ptr<const Source>& source, Problems& problems);

}  // namespace nfstreamd::config
