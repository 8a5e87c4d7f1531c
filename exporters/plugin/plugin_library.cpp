// SPDX-License-Identifier: Apache-2.0
// The only file of exporters/ that sees the loader.
#include "exporters/plugin/plugin_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstddef>

namespace nfstreamd::exporters {
namespace {

constexpr const char* kSymbol = "nfstreamd_exporter";
constexpr std::size_t kVersion1Size =  // later members may be missing
    offsetof(nfstreamd_exporter_plugin, close) + sizeof(nfstreamd_exporter_plugin::close);

Error invalid(const std::string& path, std::string_view what) {
    return {ErrorCode::kInvalidArgument, fmt::format("plugin {}: {}", path, what), ""};
}

std::string loader_error() {
    const char* text = ::dlerror();
    return text ? text : "unknown error of the loader";
}

}  // namespace

Result<std::unique_ptr<PluginLibrary>> PluginLibrary::load(const std::string& path) {
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) return invalid(path, loader_error());
    std::unique_ptr<PluginLibrary> library(new PluginLibrary(handle));
    if (Status status = library->find(path); !status) return status.error();
    return library;
}

PluginLibrary::~PluginLibrary() {
    if (handle_) ::dlclose(handle_);
}

Status PluginLibrary::find(const std::string& path) {
    void* symbol = ::dlsym(handle_, kSymbol);
    if (!symbol) return invalid(path, loader_error());
    const auto entry = reinterpret_cast<decltype(&::nfstreamd_exporter)>(symbol);
    try {
        plugin_ = entry(NFSTREAMD_EXPORTER_ABI);
    } catch (...) {
        keep();
        return invalid(path, fmt::format("{}() threw an exception", kSymbol));
    }
    if (!plugin_)
        return invalid(path, fmt::format("does not support version {} of the interface", NFSTREAMD_EXPORTER_ABI));
    if (plugin_->abi != NFSTREAMD_EXPORTER_ABI)
        return invalid(path, fmt::format("is made for version {} of the interface, this is version {}: compile it anew",
                                         plugin_->abi, NFSTREAMD_EXPORTER_ABI));
    if (plugin_->size < kVersion1Size || !plugin_->create || !plugin_->open || !plugin_->write || !plugin_->close)
        return invalid(path, "its table of functions is not complete: create, open, write and close are needed");
    return ok();
}

}  // namespace nfstreamd::exporters
