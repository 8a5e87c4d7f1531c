// SPDX-License-Identifier: Apache-2.0
// A shared object with an exporter of others in it, loaded and checked; unloaded
// at the end. What is in it runs as part of this process. Belongs to one thread.
#pragma once
#include <memory>
#include <string>
#include <utility>

#include "core/base/result.hpp"
#include "core/plugin/plugin_object.hpp"
#include "exporters/plugin/nfstreamd_exporter.h"

namespace nfstreamd::exporters {

class PluginLibrary {
public:
    // Errors: no such object or a symbol that is missing, in the words of the
    // loader; another version of the interface; a table that is not complete.
    static Result<std::unique_ptr<PluginLibrary>> load(const std::string& path);

    const nfstreamd_exporter_plugin& plugin() const noexcept { return *plugin_; }
    // It stays loaded to the end of the process: something of it may still run.
    void keep() noexcept { object_.keep(); }

private:
    explicit PluginLibrary(PluginObject object) : object_(std::move(object)) {}
    Status find();

    PluginObject object_;
    const nfstreamd_exporter_plugin* plugin_ = nullptr;
};

}  // namespace nfstreamd::exporters
