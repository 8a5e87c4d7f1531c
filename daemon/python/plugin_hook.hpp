// SPDX-License-Identifier: Apache-2.0
// nfstream's plugins in Python, called by one metering process: NFPlugin's
// on_init, on_update and on_expire with the packet and the flow. Plugins are any
// objects with these methods; those that NFPlugin leaves empty are not called.
// Whoever embeds an interpreter can use it: it needs nothing of our module's.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "core/metering/flow_hook.hpp"
#include "daemon/python/flow_object.hpp"
#include "daemon/python/flow_objects.hpp"
#include "daemon/python/flow_schema.hpp"
#include "daemon/python/packet_object.hpp"
#include "daemon/python/reference.hpp"

namespace nfstreamd::python {

// What becomes of flows and errors. Called with the interpreter's lock, by the
// metering thread.
class PluginHost {
public:
    virtual ~PluginHost() = default;

    // Asked once, when the first flow begins. Hooks of one metering process may share them.
    virtual std::shared_ptr<FlowObjects> flows() { return std::make_shared<FlowObjects>(); }

    // A flow has ended for all hooks that share it; its values are in flow.udps, its record has not left the meter yet.
    virtual void keep(Reference flow, FlowRecord& record, Arena& arena) noexcept = 0;

    // A plugin has raised what is set as Python's error, and takes it. That plugin is not called again.
    virtual void failed(std::size_t plugin) noexcept = 0;
};

// The types of the objects that plugins get.
struct PluginTypes {
    PyTypeObject* flow;    // derives from make_flow_type()'s
    PyTypeObject* packet;  // make_packet_type()'s
    PyObject* udps;        // called without arguments, it makes a place for values; null: flow.udps is None
    PyObject* base;        // NFPlugin
};

class PluginHook final : public FlowHook {
public:
    // With the interpreter's lock, as the destructor. `host` outlives it.
    PluginHook(std::vector<Reference> plugins, const PluginTypes& types, std::shared_ptr<const FlowSchema> schema,
               PluginHost& host);

    std::int32_t on_begin(const FlowView& flow, const Packet& packet) noexcept override;
    std::int32_t on_packet(const FlowView& flow, const Packet& packet, int direction) noexcept override;
    void on_expire(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept override;
    void on_discard(std::uint32_t handle) noexcept override;

    bool updates() const noexcept { return updates_; }  // else on_packet() does nothing

private:
    struct Plugin {
        Reference on_init, on_update, on_expire;  // bound; null: empty, or the plugin has failed
    };

    Reference method(PyObject* plugin, const char* name) const;
    FlowObject* make_flow() const;
    std::int32_t show(FlowObject& flow, const FlowView& view, const Packet& packet, int direction,
                      Reference Plugin::*method) noexcept;
    void fail(std::size_t plugin) noexcept;

    const PluginTypes types_;
    const std::shared_ptr<const FlowSchema> schema_;
    PluginHost& host_;
    std::vector<Plugin> plugins_;
    bool updates_ = false;  // some plugin has on_update
    std::shared_ptr<FlowObjects> flows_;
    Reference packet_;  // used again while nobody keeps it
};

}  // namespace nfstreamd::python
