// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/flow_plugin_library.hpp"

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
    auto object = PluginObject::load(std::move(file.value()));
    if (!object) return object.error();
    std::shared_ptr<FlowPluginLibrary> library(new FlowPluginLibrary(std::move(object.value())));
    if (Status status = library->find(); !status) return status.error();
    return library;
}

Status FlowPluginLibrary::find() {
    const auto found = object_.table<nfd_plugin>(kSymbol, NFSTREAMD_PLUGIN_ABI);
    if (!found) return found.error();
    const nfd_plugin& table = *found.value();
    if (table.struct_size < kVersion1Size || !table.open || !table.close)
        return object_.refused("its table of functions is not complete: open and close are needed");
    std::memcpy(&plugin_, &table, std::min<std::size_t>(table.struct_size, sizeof plugin_));
    return ok();
}

}  // namespace nfstreamd
