// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/host/hosted_plugin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/python/host/hosted_hook.hpp"

namespace nfstreamd::python {
namespace {

constexpr std::string_view kPrefix = "udps.";

Generation generation_of(long number) {
    return number == 0 ? Generation::kNfstream0 : number == 3 ? Generation::kNfstream3 : Generation::kNfstream6;
}

// Names that its code gives values; nothing with a Python error set.
std::optional<std::vector<std::string>> names_of(PyObject* hosted) {
    const Reference list(PyObject_GetAttrString(hosted, "names"));
    if (!list) return std::nullopt;
    std::vector<std::string> names;
    for (Py_ssize_t i = 0; i < PyList_Size(list.get()); ++i) {
        const char* text = PyUnicode_AsUTF8(PyList_GetItem(list.get(), i));
        if (text == nullptr) return std::nullopt;
        names.emplace_back(text);
    }
    return names;
}

}  // namespace

HostedClass::~HostedClass() {
    const InterpreterLock lock;
    hosted = {};
    fields.clear();
    schema.reset();
}

Error HostedPlugin::failure(std::string_view what) const {
    return {ErrorCode::kInvalidArgument, fmt::format("plugin {}: {}", name(), what), ""};
}

Result<std::shared_ptr<FlowExtension>> HostedPlugin::load(const daemon::PythonPluginOptions& options,
                                                          const daemon::PythonPluginContext& context,
                                                          const daemon::PythonHost::Declare& declare, Logger& logger) {
    const auto interpreter = Interpreter::get();
    if (!interpreter) return interpreter.error();
    const PythonCall call(options.plugin.name, "", logger);
    std::shared_ptr<HostedPlugin> plugin(new HostedPlugin());
    plugin->class_->options = options;
    plugin->class_->interpreter = interpreter.value();
    if (Status status = plugin->open(context, declare); !status) return status.error();
    return std::shared_ptr<FlowExtension>(std::move(plugin));
}

Status HostedPlugin::open(const daemon::PythonPluginContext& context,
                          const daemon::PythonHost::Declare& declare_field) {
    HostedClass& own = *class_;
    const auto& options = own.options;
    own.hosted = Reference(PyObject_CallMethod(
        own.interpreter->hosting(), "Hosted", "sssss", options.plugin.name.c_str(), options.plugin.path.c_str(),
        options.class_name.c_str(), options.generation.c_str(), options.plugin.settings.c_str()));
    if (!own.hosted) return failure(own.interpreter->take_error());
    const Reference generation(PyObject_GetAttrString(own.hosted.get(), "generation"));
    const Reference is_volatile(PyObject_GetAttrString(own.hosted.get(), "volatile"));
    const auto names = names_of(own.hosted.get());
    if (!generation || !is_volatile || !names) return failure(own.interpreter->take_error());
    own.generation = PyLong_AsLong(generation.get());
    FieldGroups groups = context.groups;
    groups.declared.clear();
    own.schema = std::make_shared<const FlowSchema>(generation_of(own.generation), groups);
    for (std::size_t i = 0; i < names->size(); ++i) {
        if (i == 0 && is_volatile.get() == Py_True) {  // of nfstream 3: the plugin's own value, which is the first
            own.fields.push_back({(*names)[0], Reference(PyUnicode_InternFromString((*names)[0].c_str())), nullptr,
                                  IeType::kAny, ValueKind::kNone});
            continue;
        }
        if (Status status = declare((*names)[i], context, declare_field); !status) return status;
    }
    for (const daemon::PythonField& field : options.fields)
        if (std::find(names->begin(), names->end(), field.name) == names->end())
            if (Status status = declare(field.name, context, declare_field); !status) return status;
    for (const ConfiguredElement& element : options.plugin.elements)
        if (std::none_of(own.fields.begin(), own.fields.end(), [&](const HostedField& field) {
                return field.element != nullptr && field.name == element.field;
            }))
            return failure(fmt::format("elements: it has no field \"{}\"", element.field));
    return ok();
}

Status HostedPlugin::declare(const std::string& name, const daemon::PythonPluginContext& context,
                             const daemon::PythonHost::Declare& declare_field) {
    HostedClass& own = *class_;
    const std::string column = std::string(kPrefix) + name;
    const auto is_this = [&](const InformationElement* element) { return element->column == column; };
    if (std::any_of(context.shared.begin(), context.shared.end(), is_this)) return ok();
    if (std::any_of(context.before.begin(), context.before.end(), is_this))
        return failure(fmt::format("field \"{}\": is declared by a plugin before this one", name));
    IeType type = IeType::kAny;
    for (const daemon::PythonField& field : own.options.fields)
        if (field.name == name) type = field.type;
    IeId ie{};
    for (const ConfiguredElement& element : own.options.plugin.elements)
        if (element.field == name) ie = element.ie;
    const auto element = declare_field({.column = column,
                                        .type = type,
                                        .description = fmt::format("Of plugin {}, in Python.", own.name()),
                                        .units = {},
                                        .element = {},
                                        .ie = ie});
    if (!element) return failure(element.error().message);
    own.fields.push_back(
        {name, Reference(PyUnicode_InternFromString(name.c_str())), element.value(), type, ValueKind::kNone});
    fields_.push_back(element.value());
    return ok();
}

HostedPlugin::~HostedPlugin() {
    const InterpreterLock lock;
    if (class_->hosted) {
        const Reference closed(PyObject_CallMethod(class_->hosted.get(), "close", nullptr));
        if (!closed) PyErr_Clear();
    }
    class_.reset();
}

Result<std::unique_ptr<FlowHook>> HostedPlugin::make_hook(const std::string& meter, Logger& logger) {
    const PythonCall call(name(), meter, logger);
    Reference instance(PyObject_CallMethod(class_->hosted.get(), "make", nullptr));
    if (!instance) return failure(class_->interpreter->take_error());
    return std::unique_ptr<FlowHook>(std::make_unique<HostedHook>(class_, std::move(instance), meter, logger));
}

FlowExtensionStatus HostedPlugin::status() const {
    return class_->counters->status();
}

}  // namespace nfstreamd::python
