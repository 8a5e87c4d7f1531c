// SPDX-License-Identifier: Apache-2.0
// An instance of a plugin in Python, of one metering process: the guard around
// its calls, and its values as fields of the record. An instance that has raised
// an error is called no more. Made by the control thread, then the metering
// thread's alone; each call takes the interpreter's lock.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/metering/flow_hook.hpp"
#include "core/plugin/call_guard.hpp"
#include "daemon/python/host/hosted_plugin.hpp"
#include "daemon/python/plugin_hook.hpp"

namespace nfstreamd::python {

// Of the plugins of one metering process, which give their flows values together.
struct SharedFlows final : FlowObjects {
    std::vector<std::shared_ptr<HostedClass>> classes;
};

class HostedHook final : public FlowHook, public PluginHost {
public:
    // With the interpreter's lock.
    HostedHook(std::shared_ptr<HostedClass> of, Reference instance, std::string meter, Logger& logger);
    ~HostedHook() override;

    std::int32_t on_begin(const FlowView& flow, const Packet& packet) noexcept override;
    std::int32_t on_packet(const FlowView& flow, const Packet& packet, int direction) noexcept override;
    void describe(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept override;
    void on_expire(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept override;
    void on_discard(std::uint32_t handle) noexcept override;

    std::shared_ptr<FlowObjects> flows() override;
    void keep(Reference flow, FlowRecord& record, Arena& arena) noexcept override;
    void failed(std::size_t plugin) noexcept override;

private:
    class Call;

    bool has_begun(std::uint32_t handle) const noexcept { return handle < begun_.size() && begun_[handle]; }
    // Of which class; null: of all. What is not exported is counted when `final`.
    void add_values(FlowObject& flow, HostedClass* of, bool final, FlowRecord& record, Arena& arena) noexcept;
    void note_others(FlowObject& flow, PyObject* values, std::size_t known) noexcept;

    const std::shared_ptr<HostedClass> class_;
    const std::string meter_;
    Logger& logger_;
    CallGuard guard_;
    RateLimit said_;
    Reference instance_;
    std::unique_ptr<PluginHook> hook_;
    std::shared_ptr<SharedFlows> flows_;
    std::vector<bool> begun_;     // by handle: this instance has seen it begin
    bool was_described_ = false;  // a record was made for Python without Python's values
};

}  // namespace nfstreamd::python
