// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/plugin_hook.hpp"

#include <algorithm>
#include <utility>

namespace nfstreamd::python {
namespace {

std::int64_t milliseconds(TimestampNs time) {
    return time / 1'000'000;
}

PyObject* as_object(FlowObject* flow) {
    return reinterpret_cast<PyObject*>(flow);
}

}  // namespace

PluginHook::PluginHook(std::vector<Reference> plugins, const PluginTypes& types,
                       std::shared_ptr<const FlowSchema> schema, PluginHost& host)
    : types_(types), schema_(std::move(schema)), host_(host) {
    for (const Reference& plugin : plugins) {
        plugins_.push_back(
            {method(plugin.get(), "on_init"), method(plugin.get(), "on_update"), method(plugin.get(), "on_expire")});
        updates_ = updates_ || plugins_.back().on_update;
    }
}

// Null when it is the one that NFPlugin has, or none.
Reference PluginHook::method(PyObject* plugin, const char* name) const {
    Reference bound(PyObject_GetAttrString(plugin, name));
    if (!bound) {
        PyErr_Clear();
        return {};
    }
    const Reference of_base(types_.base != nullptr ? PyObject_GetAttrString(types_.base, name) : nullptr);
    PyErr_Clear();
    const bool is_empty = of_base && PyMethod_Check(bound.get()) && PyMethod_GET_FUNCTION(bound.get()) == of_base.get();
    return is_empty ? Reference() : bound;
}

FlowObject* PluginHook::make_flow() const {
    FlowObject* flow = new_flow(types_.flow, schema_);
    if (flow == nullptr || types_.udps == nullptr) return flow;
    flow->udps = PyObject_CallNoArgs(types_.udps);
    if (flow->udps != nullptr) return flow;
    Py_DECREF(as_object(flow));
    return nullptr;
}

void PluginHook::fail(std::size_t plugin) noexcept {
    plugins_[plugin] = {};
    host_.failed(plugin);
    PyErr_Clear();
}

// To all plugins in their order; each is shown the packet, whatever one before has decided.
std::int32_t PluginHook::show(FlowObject& flow, const FlowView& view, const Packet& packet, int direction,
                              Reference Plugin::*method) noexcept {
    if (!packet_) packet_ = Reference(reinterpret_cast<PyObject*>(new_packet(types_.packet)));
    if (!packet_) {
        fail(0);
        return 0;
    }
    auto& shown = *reinterpret_cast<PacketObject*>(packet_.get());
    shown.packet = &packet;
    shown.macs[0] = *view.source_mac;
    shown.macs[1] = *view.destination_mac;
    shown.delta_ms = static_cast<std::uint64_t>(milliseconds(packet.timestamp) - milliseconds(view.before));
    shown.direction = direction;
    flow.view = &view;
    for (std::size_t i = 0; i < plugins_.size(); ++i) {
        const Reference& call = plugins_[i].*method;
        if (!call) continue;
        PyObject* arguments[] = {nullptr, packet_.get(), as_object(&flow)};
        const Reference result(
            PyObject_Vectorcall(call.get(), arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr));
        if (!result) fail(i);
    }
    flow.view = nullptr;
    if (Py_REFCNT(packet_.get()) > 1) {
        detach(shown);
        packet_ = Reference();
    }
    return flow.verdict < 0 ? flow.verdict : 0;
}

std::int32_t PluginHook::on_begin(const FlowView& view, const Packet& packet) noexcept {
    const InterpreterLock lock;
    if (!flows_) flows_ = host_.flows();
    FlowObject* flow = flows_->begin(view.handle, [this] { return make_flow(); });
    if (flow == nullptr) {
        fail(0);
        return 0;
    }
    return show(*flow, view, packet, 0, &Plugin::on_init);
}

std::int32_t PluginHook::on_packet(const FlowView& view, const Packet& packet, int direction) noexcept {
    if (!updates_ || !flows_) return 0;
    const InterpreterLock lock;
    FlowObject* flow = flows_->find(view.handle);
    return flow != nullptr ? show(*flow, view, packet, direction, &Plugin::on_update) : 0;
}

void PluginHook::on_expire(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept {
    if (!flows_) return;
    const InterpreterLock lock;
    FlowObject* flow = flows_->find(handle);
    if (flow == nullptr) return;
    flow->record = &record;
    for (std::size_t i = 0; i < plugins_.size(); ++i) {
        if (!plugins_[i].on_expire) continue;
        const Reference result(PyObject_CallOneArg(plugins_[i].on_expire.get(), as_object(flow)));
        if (!result) fail(i);
    }
    flow->record = nullptr;
    if (Reference owner = flows_->end(handle)) host_.keep(std::move(owner), record, arena);
}

void PluginHook::on_discard(std::uint32_t handle) noexcept {
    if (!flows_) return;
    const InterpreterLock lock;
    if (flows_->find(handle) != nullptr) flows_->end(handle);
}

}  // namespace nfstreamd::python
