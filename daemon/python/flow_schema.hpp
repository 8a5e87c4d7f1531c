// SPDX-License-Identifier: Apache-2.0
// The attributes that flows have in Python: columns of a generation of nfstream,
// by name. Made with the interpreter's lock, constant after that.
#pragma once
#include <cstddef>
#include <memory>
#include <vector>

#include "core/record/flow_record.hpp"
#include "core/record/schemas.hpp"
#include "daemon/python/reference.hpp"

namespace nfstreamd::python {

// A new object; null with a Python error set.
PyObject* to_python(const FieldValue& value);
PyObject* to_python(std::string_view text);

class FlowSchema {
public:
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

    FlowSchema(Generation generation, const FieldGroups& groups);

    const FieldSelection& fields() const noexcept { return fields_; }
    PyObject* name(std::size_t field) const noexcept { return names_[field].get(); }
    std::size_t find(PyObject* name) const noexcept;  // of fields(), or kNone

    // Whether the reader of flows numbers them, as nfstream 6 does.
    bool numbers_flows() const noexcept { return generation_ == Generation::kNfstream6; }
    // Whether flows take any attribute, as those of older generations do.
    bool is_open() const noexcept { return generation_ != Generation::kNfstream6; }

    std::size_t id() const noexcept { return id_; }
    std::size_t packets() const noexcept { return packets_; }              // of both directions
    std::size_t expiration() const noexcept { return expiration_; }        // expiration_id
    std::size_t plugin_values() const noexcept { return plugin_values_; }  // these stand before that field

private:
    std::size_t find(std::string_view column) const noexcept;

    Generation generation_;
    FieldSelection fields_;
    std::vector<Reference> names_;
    Reference places_;  // of names
    std::size_t id_, packets_, expiration_, plugin_values_;
};

}  // namespace nfstreamd::python
