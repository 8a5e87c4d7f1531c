// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/host/hosted_hook.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nfstreamd::python {
namespace {

// A metering process has a thread of its own, by which its plugins find each other.
thread_local std::weak_ptr<SharedFlows> flows_here[3];

PyObject* metrics_name() {
    static PyObject* const name = PyUnicode_InternFromString("metrics");
    return name;
}

// Where plugins of that generation leave values; null: there are none. Owned.
Reference values_of(const FlowObject& flow, long generation) {
    Reference values;
    if (generation == 6) {
        if (flow.udps != nullptr && flow.udps != Py_None)
            values = Reference(PyObject_GetAttrString(flow.udps, "__dict__"));
    } else if (flow.changes != nullptr) {
        values = Reference::to(generation == 3 ? flow.changes : PyDict_GetItemWithError(flow.changes, metrics_name()));
    }
    PyErr_Clear();
    return values && PyDict_Check(values.get()) ? values : Reference();
}

bool is_hidden(PyObject* name) {
    return PyUnicode_Check(name) && PyUnicode_GET_LENGTH(name) > 0 && PyUnicode_READ_CHAR(name, 0) == '_';
}

}  // namespace

// One call, or several: with the lock, measured now and then.
class HostedHook::Call {
public:
    explicit Call(HostedHook& hook) noexcept
        : hook_(hook),
          call_(hook.class_->name(), hook.meter_, hook.logger_, &hook.said_),
          measured_(hook.guard_.measures()) {
        if (measured_) [[unlikely]]
            begin_ = CallGuard::Clock::now();
    }
    ~Call() {
        if (measured_) [[unlikely]]
            hook_.guard_.note_time(CallGuard::Clock::now() - begin_);
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

private:
    HostedHook& hook_;
    const PythonCall call_;
    const bool measured_;
    CallGuard::Clock::time_point begin_;
};

HostedHook::HostedHook(std::shared_ptr<HostedClass> of, Reference instance, std::string meter, Logger& logger)
    : class_(std::move(of)),
      meter_(std::move(meter)),
      logger_(logger),
      guard_(class_->name(), meter_, class_->options.plugin.time_budget, class_->counters, logger),
      instance_(std::move(instance)) {
    hook_ = std::make_unique<PluginHook>(std::vector<Reference>{instance_},
                                         class_->interpreter->types(class_->generation), class_->schema, *this);
    guard_.opened();
}

HostedHook::~HostedHook() {
    const PythonCall call(class_->name(), meter_, logger_);
    hook_.reset();
    if (flows_) std::erase(flows_->classes, class_);
    flows_.reset();
    if (PyObject_HasAttrString(instance_.get(), "cleanup")) {
        const Reference done(PyObject_CallMethod(instance_.get(), "cleanup", nullptr));
        if (!done) guard_.note_failure(class_->interpreter->take_error());
    }
    instance_ = {};
    guard_.closed();
}

// ---- calls ----

std::int32_t HostedHook::on_begin(const FlowView& view, const Packet& packet) noexcept {
    if (view.handle >= begun_.size())
        begun_.resize(std::max<std::size_t>(view.handle + std::size_t{1}, begun_.size() * 2));
    begun_[view.handle] = !guard_.disabled();
    if (!begun_[view.handle]) return 0;
    guard_.note_flow();
    guard_.note_packet();
    const Call call(*this);
    const std::int32_t verdict = hook_->on_begin(view, packet);
    if (std::exchange(was_described_, false)) view.describer->forget();
    return verdict;
}

std::int32_t HostedHook::on_packet(const FlowView& view, const Packet& packet, int direction) noexcept {
    if (!has_begun(view.handle)) return 0;
    guard_.note_packet();
    if (guard_.disabled() || !hook_->updates()) return 0;
    const Call call(*this);
    const std::int32_t verdict = hook_->on_packet(view, packet, direction);
    if (std::exchange(was_described_, false)) view.describer->forget();
    return verdict;
}

void HostedHook::on_expire(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept {
    if (!has_begun(handle)) return;
    begun_[handle] = false;
    const Call call(*this);
    hook_->on_expire(handle, record, arena);
}

void HostedHook::on_discard(std::uint32_t handle) noexcept {
    if (!has_begun(handle)) return;
    begun_[handle] = false;
    hook_->on_discard(handle);
}

void HostedHook::describe(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept {
    if (!has_begun(handle) || !flows_) return;
    const PythonCall call(class_->name(), meter_, logger_);
    FlowObject* flow = flows_->find(handle);
    if (flow == nullptr) return;
    if (flow->view != nullptr)  // Python asks, which has them
        was_described_ = true;
    else
        add_values(*flow, class_.get(), false, record, arena);
}

std::shared_ptr<FlowObjects> HostedHook::flows() {
    auto& here = flows_here[class_->generation / 3];
    flows_ = here.lock();
    if (!flows_) here = flows_ = std::make_shared<SharedFlows>();
    flows_->classes.push_back(class_);
    return flows_;
}

void HostedHook::failed(std::size_t) noexcept {
    class_->counters->errors.fetch_add(1);
    guard_.disable(class_->interpreter->take_error());
}

// ---- values ----

void HostedHook::keep(Reference owner, FlowRecord& record, Arena& arena) noexcept {
    add_values(*reinterpret_cast<FlowObject*>(owner.get()), nullptr, true, record, arena);
}

void HostedHook::add_values(FlowObject& flow, HostedClass* of, bool final, FlowRecord& record, Arena& arena) noexcept {
    const Reference values = values_of(flow, class_->generation);
    if (!values && flow.changes == nullptr) return;
    std::vector<DeclaredValue> found;
    std::size_t known = 0;
    const auto is_found = [&found](const HostedField& field) {
        return std::any_of(found.begin(), found.end(),
                           [&](const DeclaredValue& one) { return one.column == field.element->value.declared; });
    };
    // the latest first, as one may have taken the place of another
    for (auto place = flows_->classes.rbegin(); values && place != flows_->classes.rend(); ++place) {
        if (of != nullptr && place->get() != of) continue;
        for (HostedField& field : (*place)->fields) {
            // ours, too: its own methods may take it out of there
            const Reference object = Reference::to(PyDict_GetItemWithError(values.get(), field.key.get()));
            if (!object) continue;
            ++known;
            if (field.element == nullptr || is_found(field)) continue;
            const auto value = value_of(object.get(), field, arena);
            if (!value) {
                if (final) guard_.note_refusal(value.error().message);
            } else if (!std::holds_alternative<std::monostate>(value.value())) {
                found.push_back({field.element->value.declared, value.value()});
            }
        }
    }
    PyErr_Clear();
    if (final) note_others(flow, values.get(), known);
    if (found.empty()) return;
    const auto all = arena.array<DeclaredValue>(record.declared.size() + found.size());
    auto* to = std::uninitialized_copy(record.declared.begin(), record.declared.end(), all.data());
    std::uninitialized_copy(found.begin(), found.end(), to);
    record.declared = all;
}

// Values without a field, and columns that a plugin has written over.
void HostedHook::note_others(FlowObject& flow, PyObject* values, std::size_t known) noexcept {
    const auto text = [](PyObject* name) {
        const char* octets = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : nullptr;
        PyErr_Clear();
        return std::string(octets != nullptr ? octets : "?");
    };
    PyObject *name, *value;
    Py_ssize_t position = 0;
    if (values != nullptr && class_->generation != 3 && static_cast<std::size_t>(PyDict_Size(values)) > known)
        while (PyDict_Next(values, &position, &name, &value)) {
            const auto has = [&](const HostedField& field) { return PyUnicode_Compare(field.key.get(), name) == 0; };
            const bool is_known = std::any_of(flows_->classes.begin(), flows_->classes.end(), [&](const auto& one) {
                return std::any_of(one->fields.begin(), one->fields.end(), has);
            });
            if (!is_known && !is_hidden(name))
                guard_.note_refusal(
                    fmt::format("{}: the code of no plugin names it; `fields` of the plugin declares it", text(name)));
        }
    position = 0;
    if (flow.changes == nullptr) return;
    const auto& schema = *flow.schema;
    while (PyDict_Next(flow.changes, &position, &name, &value)) {
        const std::size_t field = schema.find(name);
        if (field != FlowSchema::kNone && field != schema.expiration())
            guard_.note_refusal(fmt::format("{}: a column keeps its own value", text(name)));
        if (field != FlowSchema::kNone || class_->generation != 3 || is_hidden(name)) continue;
        const auto has = [&](const HostedField& one) { return PyUnicode_Compare(one.key.get(), name) == 0; };
        if (std::none_of(flows_->classes.begin(), flows_->classes.end(),
                         [&](const auto& one) { return std::any_of(one->fields.begin(), one->fields.end(), has); }))
            guard_.note_refusal(
                fmt::format("{}: the code of no plugin names it; `fields` of the plugin declares it", text(name)));
    }
}

}  // namespace nfstreamd::python
