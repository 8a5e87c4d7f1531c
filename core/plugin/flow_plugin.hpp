// SPDX-License-Identifier: Apache-2.0
// A plugin of the configuration: its shared object, what it was told, the fields
// it declared; makes an instance for each metering process. Control thread, but
// for status().
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/metering/extension_counters.hpp"
#include "core/metering/flow_extension.hpp"
#include "core/plugin/flow_plugin_library.hpp"
#include "core/plugin/plugin_options.hpp"

namespace nfstreamd {

class FlowPlugin final : public FlowExtension {
public:
    // Loads the object and opens an instance for a moment, so that its fields are
    // known. `before`: all fields of plugins that come before, which it may read
    // and may not declare again. The log gets what that instance says.
    static Result<std::shared_ptr<FlowPlugin>> load(PluginOptions options, const FieldSelection& before,
                                                    Logger& logger);

    std::string_view name() const noexcept override { return options_.name; }
    const FieldSelection& fields() const noexcept override { return fields_; }
    Result<std::unique_ptr<FlowHook>> make_hook(const std::string& meter, Logger& logger) override;
    FlowExtensionStatus status() const override;

    const PluginOptions& options() const noexcept { return options_; }
    const FieldSelection& declared() const noexcept { return declared_; }  // what is not exported as well

private:
    FlowPlugin(PluginOptions options, std::shared_ptr<FlowPluginLibrary> library);

    const PluginOptions options_;
    const std::shared_ptr<FlowPluginLibrary> library_;
    const std::shared_ptr<ExtensionCounters> counters_ = std::make_shared<ExtensionCounters>();
    FieldSelection before_;    // fields of plugins before this one
    FieldSelection declared_;  // all of its own
    FieldSelection fields_;    // of these, that are exported
};

}  // namespace nfstreamd
