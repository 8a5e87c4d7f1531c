// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/flow_object.hpp"

#include <limits>
#include <new>
#include <utility>

namespace nfstreamd::python {
namespace {

FlowObject* as_flow(PyObject* object) {
    return reinterpret_cast<FlowObject*>(object);
}

PyObject* udps_name() {
    static PyObject* const name = PyUnicode_InternFromString("udps");
    return name;
}

int traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(as_flow(self)->udps);
    Py_VISIT(as_flow(self)->changes);
    return 0;
}

int clear(PyObject* self) {
    Py_CLEAR(as_flow(self)->udps);
    Py_CLEAR(as_flow(self)->changes);
    return 0;
}

void deallocate(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    clear(self);
    as_flow(self)->schema.~shared_ptr();
    as_flow(self)->batch.~shared_ptr();
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject* get(PyObject* self, PyObject* name) {
    FlowObject& flow = *as_flow(self);
    if (flow.changes != nullptr) [[unlikely]]
        if (PyObject* set = PyDict_GetItemWithError(flow.changes, name)) return Py_NewRef(set);
    const std::size_t field = flow.schema ? flow.schema->find(name) : FlowSchema::kNone;
    if (field != FlowSchema::kNone) return field_of(flow, field);
    if (name == udps_name() && flow.udps != nullptr) return Py_NewRef(flow.udps);
    return PyObject_GenericGetAttr(self, name);
}

// A flow may be ended by a negative number, at once.
bool note_verdict(FlowObject& flow, PyObject* value) {
    if (value == nullptr) return true;
    const Reference number(PyNumber_Index(value));
    if (!number) return false;
    int overflow = 0;
    const long verdict = PyLong_AsLongAndOverflow(number.get(), &overflow);
    if (overflow != 0 || verdict < std::numeric_limits<std::int32_t>::min() ||
        verdict > std::numeric_limits<std::int32_t>::max()) {
        PyErr_SetString(PyExc_ValueError, "expiration_id has 32 bits");
        return false;
    }
    flow.verdict = static_cast<std::int32_t>(verdict);
    return true;
}

int set(PyObject* self, PyObject* name, PyObject* value) {
    FlowObject& flow = *as_flow(self);
    const std::size_t field = flow.schema ? flow.schema->find(name) : FlowSchema::kNone;
    if (field == FlowSchema::kNone && name == udps_name()) {
        Py_XINCREF(value);
        Py_XSETREF(flow.udps, value);
        return 0;
    }
    if (field == FlowSchema::kNone && (!flow.schema || !flow.schema->is_open()))
        return PyObject_GenericSetAttr(self, name, value);
    if (field != FlowSchema::kNone && field == flow.schema->expiration() && !note_verdict(flow, value)) return -1;
    if (flow.changes == nullptr && (flow.changes = PyDict_New()) == nullptr) return -1;
    if (value != nullptr) return PyDict_SetItem(flow.changes, name, value);
    if (PyDict_DelItem(flow.changes, name) == 0) return 0;
    PyErr_SetObject(PyExc_AttributeError, name);
    return -1;
}

// Calls visit(name, value) for all attributes, values of plugins where their columns stand.
template <class Visit>
bool for_each_value(FlowObject& flow, Visit visit) {
    const FlowSchema& schema = *flow.schema;
    for (std::size_t i = 0; i <= schema.fields().size(); ++i) {
        if (i == schema.plugin_values() && flow.udps != nullptr && flow.udps != Py_None) {
            const Reference values(PyObject_GetAttrString(flow.udps, "__dict__"));
            if (!values) return false;
            PyObject *name, *value;
            Py_ssize_t position = 0;
            while (PyDict_Next(values.get(), &position, &name, &value)) {
                const auto held_name = Reference::to(name), held = Reference::to(value);  // both may have methods
                const Reference full(PyUnicode_FromFormat("udps.%S", name));
                if (!full || !visit(full.get(), held.get())) return false;
            }
        }
        if (i == schema.fields().size()) break;
        PyObject* name = schema.name(i);
        Reference value;
        PyObject* changed = flow.changes != nullptr ? PyDict_GetItemWithError(flow.changes, name) : nullptr;
        value = changed != nullptr ? Reference::to(changed) : Reference(field_of(flow, i));
        if (!value || !visit(name, value.get())) return false;
    }
    if (flow.changes == nullptr) return true;
    PyObject *name, *value;  // what an open schema has got besides
    Py_ssize_t position = 0;
    while (PyDict_Next(flow.changes, &position, &name, &value))
        if (schema.find(name) == FlowSchema::kNone && !visit(name, value)) return false;
    return true;
}

template <class Pick>
PyObject* list_of(PyObject* self, Pick pick) {
    Reference list(PyList_New(0));
    if (!list || !as_flow(self)->schema) return list.release();
    const bool done = for_each_value(*as_flow(self), [&](PyObject* name, PyObject* value) {
        return PyList_Append(list.get(), pick(name, value)) == 0;
    });
    return done ? list.release() : nullptr;
}

PyObject* keys(PyObject* self, PyObject*) {
    return list_of(self, [](PyObject* name, PyObject*) { return name; });
}

PyObject* values(PyObject* self, PyObject*) {
    return list_of(self, [](PyObject*, PyObject* value) { return value; });
}

PyObject* changes(PyObject* self, PyObject*) {
    PyObject* changed = as_flow(self)->changes;
    return Py_NewRef(changed != nullptr ? changed : Py_None);
}

PyObject* was_evicted(PyObject* self, PyObject*) {
    const FlowRecord* record = as_flow(self)->record;
    return PyBool_FromLong(record != nullptr && record->end_reason == EndReason::kLackOfResources);
}

}  // namespace

PyObject* field_of(FlowObject& flow, std::size_t field) {
    const FlowSchema& schema = *flow.schema;
    if (field == schema.id() && flow.view == nullptr) return PyLong_FromLongLong(flow.id);
    if (flow.view != nullptr) {
        if (field == schema.packets()) return PyLong_FromUnsignedLongLong(flow.view->packets());
        if (field == schema.expiration() || field == schema.id()) return PyLong_FromLong(0);
        return to_python(schema.fields()[field]->value(flow.view->record()));
    }
    if (flow.record != nullptr) return to_python(schema.fields()[field]->value(*flow.record));
    PyErr_Format(PyExc_AttributeError, "%U: a flow that has not ended is known in the calls of plugins only",
                 schema.name(field));
    return nullptr;
}

PyTypeObject* make_flow_type() {
    static PyMethodDef methods[] = {{"keys", keys, METH_NOARGS, "Names of the attributes, udps.NAME of plugins."},
                                    {"values", values, METH_NOARGS, "Their values, in the same order."},
                                    {"changes", changes, METH_NOARGS, "Attributes that were set, or None."},
                                    {"was_evicted", was_evicted, METH_NOARGS, "It has left for want of room."},
                                    {nullptr, nullptr, 0, nullptr}};
    static PyType_Slot slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(traverse)},
                                  {Py_tp_clear, reinterpret_cast<void*>(clear)},
                                  {Py_tp_dealloc, reinterpret_cast<void*>(deallocate)},
                                  {Py_tp_getattro, reinterpret_cast<void*>(get)},
                                  {Py_tp_setattro, reinterpret_cast<void*>(set)},
                                  {Py_tp_methods, methods},
                                  {0, nullptr}};
    static PyType_Spec spec = {
        "nfstreamd._engine.Flow", sizeof(FlowObject), 0,
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
    return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
}

FlowObject* new_flow(PyTypeObject* type, std::shared_ptr<const FlowSchema> schema) {
    PyObject* made = type->tp_alloc(type, 0);
    if (made == nullptr) return nullptr;
    FlowObject* flow = as_flow(made);
    new (&flow->schema) std::shared_ptr<const FlowSchema>(std::move(schema));
    new (&flow->batch) RecordBatchPtr();
    return flow;
}

}  // namespace nfstreamd::python
