// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/flow_schema.hpp"

#include <algorithm>
#include <string>
#include <variant>

namespace nfstreamd::python {
namespace {

PyObject* number_of(const Unsigned128& value) {
    const Reference high(PyLong_FromUnsignedLongLong(value.high)), low(PyLong_FromUnsignedLongLong(value.low)),
        bits(PyLong_FromLong(64));
    if (!high || !low || !bits) return nullptr;
    const Reference shifted(PyNumber_Lshift(high.get(), bits.get()));
    return shifted ? PyNumber_Or(shifted.get(), low.get()) : nullptr;
}

PyObject* list_of(std::span<const std::int32_t> values) {
    Reference list(PyList_New(static_cast<Py_ssize_t>(values.size())));
    if (!list) return nullptr;
    for (std::size_t i = 0; i < values.size(); ++i) {
        PyObject* number = PyLong_FromLong(values[i]);
        if (number == nullptr) return nullptr;
        PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), number);
    }
    return list.release();
}

struct ToPython {
    PyObject* operator()(std::monostate) const { Py_RETURN_NONE; }
    PyObject* operator()(std::uint64_t value) const { return PyLong_FromUnsignedLongLong(value); }
    PyObject* operator()(std::int64_t value) const { return PyLong_FromLongLong(value); }
    PyObject* operator()(double value) const { return PyFloat_FromDouble(value); }
    PyObject* operator()(bool value) const { return PyBool_FromLong(value); }
    PyObject* operator()(std::string_view value) const { return to_python(value); }
    PyObject* operator()(const IpAddress& value) const {
        std::string text;
        append_text(text, value);
        return to_python(std::string_view(text));
    }
    PyObject* operator()(const MacAddress& value) const {
        std::string text;
        append_text(text, value);
        return to_python(std::string_view(text));
    }
    PyObject* operator()(std::span<const std::int32_t> values) const { return list_of(values); }
    PyObject* operator()(const Unsigned128& value) const { return number_of(value); }
};

}  // namespace

PyObject* to_python(const FieldValue& value) {
    return std::visit(ToPython{}, value);
}

// nfstream drops what is not UTF-8, too.
PyObject* to_python(std::string_view text) {
    return PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "ignore");
}

FlowSchema::FlowSchema(Generation generation, const FieldGroups& groups)
    : generation_(generation), fields_(schema_fields(generation, groups)), places_(PyDict_New()) {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        PyObject* name =
            PyUnicode_FromStringAndSize(fields_[i]->column.data(), static_cast<Py_ssize_t>(fields_[i]->column.size()));
        PyUnicode_InternInPlace(&name);
        names_.emplace_back(name);
        const Reference place(PyLong_FromSize_t(i));
        PyDict_SetItem(places_.get(), name, place.get());
    }
    id_ = numbers_flows() ? find("id") : kNone;
    packets_ = find(generation == Generation::kNfstream6 ? "bidirectional_packets" : "total_packets");
    expiration_ = find("expiration_id");
    const auto system = std::find_if(fields_.begin(), fields_.end(),
                                     [](const InformationElement* field) { return field->group == IeGroup::kSystem; });
    plugin_values_ = static_cast<std::size_t>(system - fields_.begin());
}

std::size_t FlowSchema::find(PyObject* name) const noexcept {
    PyObject* place = PyDict_GetItemWithError(places_.get(), name);
    if (place != nullptr) return PyLong_AsSize_t(place);
    PyErr_Clear();
    return kNone;
}

std::size_t FlowSchema::find(std::string_view column) const noexcept {
    for (std::size_t i = 0; i < fields_.size(); ++i)
        if (fields_[i]->column == column) return i;
    return kNone;
}

}  // namespace nfstreamd::python
