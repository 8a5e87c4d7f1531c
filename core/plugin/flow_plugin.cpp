// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/flow_plugin.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/plugin/plugin_hook.hpp"

namespace nfstreamd {

FlowPlugin::FlowPlugin(PluginOptions options, std::shared_ptr<FlowPluginLibrary> library)
    : options_(std::move(options)), library_(std::move(library)) {}

Result<std::shared_ptr<FlowPlugin>> FlowPlugin::load(PluginOptions options, const FieldSelection& before,
                                                     Logger& logger) {
    auto library = FlowPluginLibrary::load(options.path.empty() ? options.name : options.path);
    if (!library) return library.error();
    std::shared_ptr<FlowPlugin> plugin(new FlowPlugin(std::move(options), std::move(library.value())));
    const auto hook = PluginHook::open(plugin->options_, plugin->library_, before, "", plugin->counters_, logger);
    if (!hook) return hook.error();
    plugin->before_ = before;
    plugin->declared_ = hook.value()->declared();
    plugin->fields_ = hook.value()->exported();
    return plugin;
}

Result<std::unique_ptr<FlowHook>> FlowPlugin::make_hook(const std::string& meter, Logger& logger) {
    auto hook = PluginHook::open(options_, library_, before_, meter, counters_, logger);
    if (!hook) return hook.error();
    if (hook.value()->declared() != declared_)
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("plugin {}: declares other fields than when it was loaded", options_.name), ""};
    return std::unique_ptr<FlowHook>(std::move(hook.value()));
}

FlowExtensionStatus FlowPlugin::status() const {
    return counters_->status();
}

}  // namespace nfstreamd
