// SPDX-License-Identifier: Apache-2.0
// The only file that sees the loader, for plugins of every kind.
#include "core/plugin/plugin_object.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

namespace nfstreamd {
namespace {

Error invalid(const std::string& path, std::string_view what) {
    return {ErrorCode::kInvalidArgument, fmt::format("plugin {}: {}", path, what), ""};
}

std::string loader_error() {
    const char* text = ::dlerror();
    return text ? text : "unknown error of the loader";
}

}  // namespace

Result<PluginObject> PluginObject::load(std::string path, Symbols symbols) {
    const CrashGuard guard(path);  // of its constructors
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | (symbols == Symbols::kForAll ? RTLD_GLOBAL : RTLD_LOCAL));
    if (!handle) return invalid(path, loader_error());
    return PluginObject(handle, std::move(path));
}

PluginObject::~PluginObject() {
    if (handle_ && !kept_) ::dlclose(handle_);
}

Error PluginObject::refused(std::string_view what) const {
    return invalid(path_, what);
}

Result<void*> PluginObject::find(const char* symbol) const {
    void* found = ::dlsym(handle_, symbol);
    if (!found) return refused(loader_error());
    return found;
}

Error PluginObject::threw(const char* symbol) const {
    return refused(fmt::format("{}() threw an exception", symbol));
}

Error PluginObject::other_version(std::uint32_t version) const {
    return refused(fmt::format("does not support version {} of the interface", version));
}

Error PluginObject::made_for(std::uint32_t its, std::uint32_t version) const {
    return refused(
        fmt::format("is made for version {} of the interface, this is version {}: compile it anew", its, version));
}

}  // namespace nfstreamd
