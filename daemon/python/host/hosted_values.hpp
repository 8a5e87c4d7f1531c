// SPDX-License-Identifier: Apache-2.0
// Values that plugins in Python give flows, as values of fields. With the
// interpreter's lock.
#pragma once
#include <string>

#include "core/base/arena.hpp"
#include "core/base/result.hpp"
#include "core/record/information_element.hpp"
#include "daemon/python/reference.hpp"

namespace nfstreamd::python {

// What a value is: of a field without a type the first one decides for all.
enum class ValueKind : std::uint8_t { kNone, kNumber, kText, kList };
const char* name(ValueKind kind) noexcept;

struct HostedField {
    std::string name;
    Reference key;                                // its name in Python
    const InformationElement* element = nullptr;  // null: plugins read it, it is not exported
    IeType type = IeType::kAny;
    ValueKind first = ValueKind::kNone;
};

// None is no value. What does not fit is an error that says so; nothing of Python's error is left.
Result<FieldValue> value_of(PyObject* object, HostedField& field, Arena& arena);

}  // namespace nfstreamd::python
