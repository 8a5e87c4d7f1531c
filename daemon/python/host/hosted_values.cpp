// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/host/hosted_values.hpp"

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <utility>

namespace nfstreamd::python {
namespace {

constexpr Py_ssize_t kLongestText = 65535, kLongestList = 16383;  // what fits a field of IPFIX

bool is_truth(PyObject* object) {
    const char* type = Py_TYPE(object)->tp_name;
    return PyBool_Check(object) || std::strcmp(type, "numpy.bool_") == 0 || std::strcmp(type, "numpy.bool") == 0;
}

// NumPy's numbers as well, not its arrays.
bool is_integer(PyObject* object) {
    return PyLong_Check(object) || (PyIndex_Check(object) && !PySequence_Check(object));
}
bool is_float(PyObject* object) {
    const PyNumberMethods* methods = Py_TYPE(object)->tp_as_number;
    return PyFloat_Check(object) || (methods != nullptr && methods->nb_float != nullptr && !PySequence_Check(object));
}

// Nothing: not in 64 bits.
FieldValue integer_of(PyObject* object) {
    const Reference number(PyNumber_Index(object));
    if (!number) return {};
    int overflow = 0;
    const long long value = PyLong_AsLongLongAndOverflow(number.get(), &overflow);
    if (overflow == 0) return static_cast<std::int64_t>(value);
    if (overflow < 0) return {};
    const unsigned long long positive = PyLong_AsUnsignedLongLong(number.get());
    if (PyErr_Occurred()) return {};
    return static_cast<std::uint64_t>(positive);
}

FieldValue float_of(PyObject* object) {
    const double value = PyFloat_AsDouble(object);
    if (PyErr_Occurred()) return {};
    return value;
}

FieldValue text_of(PyObject* object, Arena& arena) {
    const Reference text(PyObject_Str(object));
    const Reference octets(text ? PyUnicode_AsEncodedString(text.get(), "utf-8", "replace") : nullptr);
    if (!octets || PyBytes_GET_SIZE(octets.get()) > kLongestText) return {};
    return arena.copy({PyBytes_AS_STRING(octets.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(octets.get()))});
}

// Nothing: not all of them are integers of 32 bits.
FieldValue list_of(PyObject* list, Arena& arena) {
    const Py_ssize_t size = PyList_GET_SIZE(list);
    if (size > kLongestList) return {};
    const auto numbers = arena.array<std::int32_t>(static_cast<std::size_t>(size));
    for (Py_ssize_t i = 0; i < size; ++i) {
        PyObject* item = PyList_GET_ITEM(list, i);
        if (!PyLong_CheckExact(item)) return {};
        int overflow = 0;
        const long number = PyLong_AsLongAndOverflow(item, &overflow);
        if (overflow != 0 || number < std::numeric_limits<std::int32_t>::min() ||
            number > std::numeric_limits<std::int32_t>::max())
            return {};
        numbers[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(number);
    }
    return std::span<const std::int32_t>(numbers);
}

bool is_nothing(const FieldValue& value) {
    return std::holds_alternative<std::monostate>(value);
}

// The value that nfstream's own plugins begin with, whatever comes later.
bool is_zero(const FieldValue& value) {
    const auto* number = std::get_if<std::int64_t>(&value);
    return number != nullptr && *number == 0;
}

// Of a field without a type. What is no number or list is a text, as nfstream writes it.
std::pair<ValueKind, FieldValue> inferred(PyObject* object, Arena& arena) {
    if (is_truth(object)) return {ValueKind::kNumber, PyObject_IsTrue(object) == 1};
    if (is_integer(object)) {
        FieldValue value = integer_of(object);
        return {ValueKind::kNumber, is_nothing(value) ? float_of(object) : value};
    }
    if (is_float(object)) return {ValueKind::kNumber, float_of(object)};
    if (PyList_Check(object)) {
        FieldValue value = list_of(object, arena);
        return {ValueKind::kList, is_nothing(value) ? text_of(object, arena) : value};
    }
    return {ValueKind::kText, text_of(object, arena)};
}

// Of NumPy's arrays with one element that element, as a model's prediction comes in one.
Reference element_of(PyObject* object) {
    if (PyLong_Check(object) || PyFloat_Check(object) || !PyObject_HasAttrString(object, "item"))
        return Reference::to(object);
    Reference element(PyObject_CallMethod(object, "item", nullptr));
    if (element) return element;
    PyErr_Clear();
    return Reference::to(object);
}

FieldValue of_type(PyObject* given, IeType type, Arena& arena) {
    if (type == IeType::kString) return text_of(given, arena);
    const Reference element = element_of(given);
    PyObject* object = element.get();
    switch (type) {
        case IeType::kUnsigned64: {
            const FieldValue value = integer_of(object);
            const auto* small = std::get_if<std::int64_t>(&value);
            if (small == nullptr) return value;
            return *small >= 0 ? FieldValue(static_cast<std::uint64_t>(*small)) : FieldValue();
        }
        case IeType::kSigned64: {
            const FieldValue value = integer_of(object);
            return std::holds_alternative<std::int64_t>(value) ? value : FieldValue();
        }
        case IeType::kFloat64:
            return PyUnicode_Check(object) ? FieldValue() : float_of(object);
        case IeType::kBoolean:
            return is_truth(object) ? FieldValue(PyObject_IsTrue(object) == 1) : FieldValue();
        case IeType::kSigned32List:
            return PyList_Check(object) ? list_of(object, arena) : FieldValue();
        default:
            return text_of(object, arena);
    }
}

}  // namespace

const char* name(ValueKind kind) noexcept {
    switch (kind) {
        case ValueKind::kNone:
            return "nothing";
        case ValueKind::kNumber:
            return "a number";
        case ValueKind::kText:
            return "a text";
        case ValueKind::kList:
            return "a list";
    }
    return "";
}

Result<FieldValue> value_of(PyObject* object, HostedField& field, Arena& arena) {
    if (object == Py_None) return FieldValue();
    const auto refused = [&](const std::string& why) {
        PyErr_Clear();
        return Error{ErrorCode::kInvalidArgument, fmt::format("{}: {}", field.name, why), ""};
    };
    if (field.type != IeType::kAny) {
        FieldValue value = of_type(object, field.type, arena);
        if (!is_nothing(value)) return value;
        return refused(
            fmt::format("a {} is not of the type that the configuration gives it", Py_TYPE(object)->tp_name));
    }
    auto [kind, value] = inferred(object, arena);
    if (is_nothing(value)) return refused(fmt::format("a {} that no field can carry", Py_TYPE(object)->tp_name));
    if (is_zero(value)) return value;
    if (field.first == ValueKind::kNone) field.first = kind;
    if (field.first != kind) return refused(fmt::format("is {}, the first one was {}", name(kind), name(field.first)));
    return value;
}

}  // namespace nfstreamd::python
