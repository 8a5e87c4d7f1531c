// SPDX-License-Identifier: Apache-2.0
#include "daemon/python_plugins.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "core/plugin/flow_plugin_library.hpp"
#include "core/plugin/plugin_object.hpp"
#include "core/record/declared_fields.hpp"
#include "daemon/version.hpp"

namespace nfstreamd::daemon {
namespace {

constexpr const char* kObject = "python_host.so";  // where nfstreamd's own plugins are

Result<PythonHost*> load_host() {
    std::string looked_in;
    for (const std::string& folder : plugin_folders()) {
        const std::string file = fmt::format("{}/{}", folder, kObject);
        std::error_code error;
        if (!std::filesystem::exists(file, error)) {
            looked_in += (looked_in.empty() ? "" : ", ") + folder;
            continue;
        }
        // modules of Python find libpython's symbols there
        auto object = PluginObject::load(file, PluginObject::Symbols::kForAll);
        if (!object) return object.error();
        object.value().keep();
        const auto table = object.value().table<PythonHostTable>(kPythonHostSymbol, kPythonHostAbi);
        if (!table) return table.error();
        if (table.value()->version != version())
            return object.value().refused(
                fmt::format("is of nfstreamd {}, this is {}", table.value()->version, version()));
        return table.value()->host;
    }
    return Error{ErrorCode::kNotFound,
                 fmt::format("plugins in Python need {}, which is not in {} (Debian: nfstreamd-python-plugins)",
                             kObject, looked_in),
                 ""};
}

}  // namespace

Result<std::shared_ptr<FlowExtension>> load_python_plugin(const PythonPluginOptions& options,
                                                          const PythonPluginContext& context, Logger& logger) {
    static PythonHost* host = nullptr;
    if (host == nullptr) {
        auto loaded = load_host();
        if (!loaded) return loaded.error();
        host = loaded.value();
    }
    return host->load(options, context, declare_field, logger);
}

}  // namespace nfstreamd::daemon
