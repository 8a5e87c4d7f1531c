// SPDX-License-Identifier: Apache-2.0
// A shared object with a plugin in it, loaded and checked; unloaded with the last
// that uses it. What is in it runs as part of this process. Const; any thread.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/plugin/nfstreamd_plugin.h"
#include "core/plugin/plugin_object.hpp"

namespace nfstreamd {

// Where plugins of a plain name are: beside the program, as in a build, then where they are installed.
std::vector<std::string> plugin_folders();

class FlowPluginLibrary {
public:
    // Errors: no such object or symbol, in the words of the loader; another version
    // of the interface; a table that is not complete.
    static Result<std::shared_ptr<FlowPluginLibrary>> load(const std::string& path);

    const nfd_plugin& plugin() const noexcept { return plugin_; }
    const std::string& path() const noexcept { return object_.path(); }

private:
    explicit FlowPluginLibrary(PluginObject object) : object_(std::move(object)) {}
    Status find();

    PluginObject object_;
    nfd_plugin plugin_{};  // what is not in the object's own is null
};

}  // namespace nfstreamd
