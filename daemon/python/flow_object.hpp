// SPDX-License-Identifier: Apache-2.0
// A flow as Python sees it: while it lives, in the calls of plugins, and when it
// has ended, with its record. Attributes are read where they lie when they are
// asked for. With the interpreter's lock, any thread.
#pragma once
#include <cstdint>
#include <memory>

#include "core/metering/flow_hook.hpp"
#include "core/record/flow_record.hpp"
#include "daemon/python/flow_schema.hpp"
#include "daemon/python/reference.hpp"

namespace nfstreamd::python {

struct FlowObject {
    PyObject_HEAD std::shared_ptr<const FlowSchema> schema;
    RecordBatchPtr batch;      // of the record; null while it is not ours
    const FlowRecord* record;  // null: not ended, or not yet delivered
    const FlowView* view;      // during a call for a flow that lives
    PyObject* udps;            // values of plugins; null: there are none
    PyObject* changes;         // attributes that somebody has set; null: none
    std::int64_t id;           // as its reader numbers it
    std::int32_t verdict;      // expiration_id as a plugin has set it, or 0
};

// The type that Python's classes of flows derive from. Null with a Python error set.
PyTypeObject* make_flow_type();

// A flow of a type that derives from it; null with a Python error set.
FlowObject* new_flow(PyTypeObject* type, std::shared_ptr<const FlowSchema> schema);

// An attribute of the schema, as set or of the record.
PyObject* field_of(FlowObject& flow, std::size_t field);

}  // namespace nfstreamd::python
