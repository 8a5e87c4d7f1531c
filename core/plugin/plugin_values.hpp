// SPDX-License-Identifier: Apache-2.0
// Values as plugins have them, and as records do. Pure.
#pragma once
#include <cstdint>
#include <optional>

#include "core/base/arena.hpp"
#include "core/plugin/nfstreamd_plugin.h"
#include "core/record/information_element.hpp"

namespace nfstreamd {

struct PluginField {
    const InformationElement* element = nullptr;
    std::uint32_t type = NFD_ABSENT;  // as the plugin declared it
    bool is_volatile = false;
};

std::optional<IeType> field_type(std::uint32_t plugin_type) noexcept;

// Views of what the record's value is a view of.
nfd_value plugin_value(const FieldValue& value) noexcept;

// Whether a plugin may give a field of that type such a value.
bool is_sound(std::uint32_t field_type, const nfd_value& value) noexcept;

// A copy that owns its text or list, until release().
nfd_value kept(const nfd_value& value);
void release(nfd_value& value) noexcept;

// Nothing for ABSENT. Text and lists are copied into the arena.
FieldValue field_value(const nfd_value& value, Arena& arena);

}  // namespace nfstreamd
