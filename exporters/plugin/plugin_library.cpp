// SPDX-License-Identifier: Apache-2.0
#include "exporters/plugin/plugin_library.hpp"

#include <cstddef>

namespace nfstreamd::exporters {
namespace {

constexpr const char* kSymbol = "nfstreamd_exporter";
constexpr std::size_t kVersion1Size =  // later members may be missing
    offsetof(nfstreamd_exporter_plugin, close) + sizeof(nfstreamd_exporter_plugin::close);

}  // namespace

Result<std::unique_ptr<PluginLibrary>> PluginLibrary::load(const std::string& path) {
    auto object = PluginObject::load(path);
    if (!object) return object.error();
    std::unique_ptr<PluginLibrary> library(new PluginLibrary(std::move(object.value())));
    if (Status status = library->find(); !status) return status.error();
    return library;
}

Status PluginLibrary::find() {
    const auto found = object_.table<nfstreamd_exporter_plugin>(kSymbol, NFSTREAMD_EXPORTER_ABI);
    if (!found) return found.error();
    plugin_ = found.value();
    if (plugin_->size < kVersion1Size || !plugin_->create || !plugin_->open || !plugin_->write || !plugin_->close)
        return object_.refused("its table of functions is not complete: create, open, write and close are needed");
    return ok();
}

}  // namespace nfstreamd::exporters
