// SPDX-License-Identifier: Apache-2.0
// Plugins in Python: their host is a shared object of its own, loaded for the
// first of them, so that nfstreamd itself needs no Python. Control thread.
#pragma once
#include <memory>

#include "daemon/python/host/python_host.hpp"

namespace nfstreamd::daemon {

Result<std::shared_ptr<FlowExtension>> load_python_plugin(const PythonPluginOptions& options,
                                                          const PythonPluginContext& context, Logger& logger);

}  // namespace nfstreamd::daemon
