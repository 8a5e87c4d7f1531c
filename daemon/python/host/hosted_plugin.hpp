// SPDX-License-Identifier: Apache-2.0
// A plugin of the configuration in Python: its file, the fields that its code
// names; makes an instance for each metering process. Control thread, but for
// status().
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/metering/extension_counters.hpp"
#include "core/metering/flow_extension.hpp"
#include "daemon/python/flow_schema.hpp"
#include "daemon/python/host/hosted_values.hpp"
#include "daemon/python/host/interpreter.hpp"
#include "daemon/python/host/python_host.hpp"

namespace nfstreamd::python {

// What its instances have in common.
struct HostedClass {
    daemon::PythonPluginOptions options;
    long generation = 6;
    Interpreter* interpreter = nullptr;
    Reference hosted;  // hosting.Hosted
    std::vector<HostedField> fields;
    std::shared_ptr<const FlowSchema> schema;
    std::shared_ptr<ExtensionCounters> counters = std::make_shared<ExtensionCounters>();

    const std::string& name() const noexcept { return options.plugin.name; }
    ~HostedClass();
};

class HostedPlugin final : public FlowExtension {
public:
    static Result<std::shared_ptr<FlowExtension>> load(const daemon::PythonPluginOptions& options,
                                                       const daemon::PythonPluginContext& context,
                                                       const daemon::PythonHost::Declare& declare, Logger& logger);
    ~HostedPlugin() override;

    std::string_view name() const noexcept override { return class_->name(); }
    const FieldSelection& fields() const noexcept override { return fields_; }
    Result<std::unique_ptr<FlowHook>> make_hook(const std::string& meter, Logger& logger) override;
    FlowExtensionStatus status() const override;

private:
    HostedPlugin() = default;
    Status open(const daemon::PythonPluginContext& context, const daemon::PythonHost::Declare& declare);
    Status declare(const std::string& name, const daemon::PythonPluginContext& context,
                   const daemon::PythonHost::Declare& declare);
    Error failure(std::string_view what) const;

    std::shared_ptr<HostedClass> class_ = std::make_shared<HostedClass>();
    FieldSelection fields_;
};

}  // namespace nfstreamd::python
