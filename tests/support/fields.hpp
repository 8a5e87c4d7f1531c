// SPDX-License-Identifier: Apache-2.0
// Made-up fields for tests of encoders: a column and the value it always has.
#pragma once
#include <string_view>

#include "core/record/template.hpp"

namespace nfstreamd::test {

inline InformationElement field(std::string_view column, FieldValue (*value)(const FlowRecord&)) {
    InformationElement element{};
    element.column = column;
    element.value = value;
    return element;
}

inline FieldSelection select(std::span<const InformationElement> elements) {
    FieldSelection selection;
    for (const auto& element : elements) selection.push_back(&element);
    return selection;
}

}  // namespace nfstreamd::test
