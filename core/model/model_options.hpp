// SPDX-License-Identifier: Apache-2.0
// What the operator chose for one model. Plain values.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/plugin/plugin_options.hpp"

namespace nfstreamd {

struct ModelOptions {
    std::string name{};                   // in the configuration, and the beginning of its fields' names
    std::string path{}, shadow{};         // files; shadow "": none
    std::uint32_t after_packets = 0;      // a flow is scored with that packet; 0: when it ends
    std::vector<std::string> features{};  // in the model's order; empty: as its file says
    std::vector<std::string> classes{};   // names of the classes; empty: as its file says
    std::vector<ConfiguredElement> elements{};
    std::optional<std::chrono::microseconds> time_budget{};  // of a flow, in the mean of a batch; unset: any
    friend bool operator==(const ModelOptions&, const ModelOptions&) = default;
};

}  // namespace nfstreamd
