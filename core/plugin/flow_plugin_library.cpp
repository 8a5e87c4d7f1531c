// SPDX-License-Identifier: Apache-2.0
// The only file of core/ that sees the loader.
#include "core/plugin/flow_plugin_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <filesystem>

namespace nfstreamd {
namespace {

constexpr const char* kSymbol = "nfstreamd_plugin";
constexpr std::size_t kVersion1Size =  // later members may be missing
    offsetof(nfd_plugin, on_discard) + sizeof(nfd_plugin::on_discard);

Error invalid(const std::string& path, std::string_view what) {
    return {ErrorCode::kInvalidArgument, fmt::format("plugin {}: {}", path, what), ""};
}

std::string loader_error() {
    const char* text = ::dlerror();
    return text ? text : "unknown error of the loader";
}

Result<std::string> find_object(const std::string& path) {
    if (path.find('/') != std::string::npos) return path;
    std::string looked_in;
    for (const std::string& folder : plugin_folders()) {
        const std::string file = fmt::format("{}/{}.so", folder, path);
        std::error_code error;
        if (std::filesystem::exists(file, error)) return file;
        looked_in += (looked_in.empty() ? "" : ", ") + folder;
    }
    return Error{ErrorCode::kNotFound,
                 fmt::format("there is no plugin \"{}\" in {}; a path has a slash in it", path, looked_in), ""};
}

}  // namespace

std::vector<std::string> plugin_folders() {
    std::vector<std::string> folders;
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    if (!error) {
        folders.push_back((program.parent_path() / "plugins").string());
        // as installed, wherever the prefix has been moved to
        folders.push_back((program.parent_path().parent_path() / NFSTREAMD_LIBDIR / "nfstreamd" / "plugins").string());
    }
    const std::string installed = NFSTREAMD_FULL_LIBDIR "/nfstreamd/plugins";
    if (std::find(folders.begin(), folders.end(), installed) == folders.end()) folders.push_back(installed);
    return folders;
}

Result<std::shared_ptr<FlowPluginLibrary>> FlowPluginLibrary::load(const std::string& path) {
    auto file = find_object(path);
    if (!file) return file.error();
    void* handle = ::dlopen(file.value().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) return invalid(file.value(), loader_error());
    std::shared_ptr<FlowPluginLibrary> library(new FlowPluginLibrary(handle, std::move(file.value())));
    if (Status status = library->find(); !status) return status.error();
    return library;
}

FlowPluginLibrary::~FlowPluginLibrary() {
    ::dlclose(handle_);
}

Status FlowPluginLibrary::find() {
    void* symbol = ::dlsym(handle_, kSymbol);
    if (!symbol) return invalid(path_, loader_error());
    const auto entry = reinterpret_cast<decltype(&::nfstreamd_plugin)>(symbol);
    const nfd_plugin* found = nullptr;
    try {
        found = entry(NFSTREAMD_PLUGIN_ABI);
    } catch (...) {
        return invalid(path_, fmt::format("{}() threw an exception", kSymbol));
    }
    if (!found)
        return invalid(path_, fmt::format("does not support version {} of the interface", NFSTREAMD_PLUGIN_ABI));
    if (found->abi != NFSTREAMD_PLUGIN_ABI)
        return invalid(path_,
                       fmt::format("is made for version {} of the interface, this is version {}: compile it anew",
                                   found->abi, NFSTREAMD_PLUGIN_ABI));
    if (found->struct_size < kVersion1Size || !found->open || !found->close)
        return invalid(path_, "its table of functions is not complete: open and close are needed");
    std::memcpy(&plugin_, found, std::min<std::size_t>(found->struct_size, sizeof plugin_));
    return ok();
}

}  // namespace nfstreamd
