// SPDX-License-Identifier: Apache-2.0
// The living flows of one metering process as plugins in Python see them, by
// handle. Hooks that share them share what plugins give a flow; it goes with the
// last hook that saw it begin. With the interpreter's lock.
#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "daemon/python/flow_object.hpp"
#include "daemon/python/reference.hpp"

namespace nfstreamd::python {

class FlowObjects {
public:
    FlowObjects() = default;
    FlowObjects(const FlowObjects&) = delete;
    FlowObjects& operator=(const FlowObjects&) = delete;
    virtual ~FlowObjects() {
        for (const Entry& entry : entries_) Py_XDECREF(reinterpret_cast<PyObject*>(entry.flow));
    }

    // One more hook has seen it begin. `make`, of the first, gives an owned object or null with a Python error set.
    template <class Make>
    FlowObject* begin(std::uint32_t handle, Make make) {
        if (handle >= entries_.size())
            entries_.resize(std::max<std::size_t>(handle + std::size_t{1}, entries_.size() * 2));
        Entry& entry = entries_[handle];
        if (entry.hooks == 0) entry.flow = make();
        if (entry.flow != nullptr) ++entry.hooks;
        return entry.flow;
    }
    FlowObject* find(std::uint32_t handle) const noexcept {
        return handle < entries_.size() ? entries_[handle].flow : nullptr;
    }
    // One hook less; of the last one the flow.
    Reference end(std::uint32_t handle) noexcept {
        Entry& entry = entries_[handle];
        if (--entry.hooks != 0) return {};
        return Reference(reinterpret_cast<PyObject*>(std::exchange(entry.flow, nullptr)));
    }

private:
    struct Entry {
        FlowObject* flow = nullptr;  // owned
        std::uint32_t hooks = 0;
    };
    std::vector<Entry> entries_;
};

}  // namespace nfstreamd::python
