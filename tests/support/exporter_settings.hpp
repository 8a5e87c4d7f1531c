// SPDX-License-Identifier: Apache-2.0
// The settings of an exporter as a configuration without any gives them.
#pragma once
#include <algorithm>
#include <string_view>

#include "config/check.hpp"
#include "exporters/registry.hpp"

namespace nfstreamd::test {

inline config::Settings default_settings(std::string_view type) {
    const auto schemas = exporters::exporter_schemas();
    const auto schema = std::find_if(schemas.begin(), schemas.end(), [&](const auto& s) { return s.type == type; });
    config::Problems problems;  // a required one is missing
    return config::check_table(config::map_node({}), "", schema->settings, {}, problems);
}

}  // namespace nfstreamd::test
