// SPDX-License-Identifier: Apache-2.0
// What the shared object shows: a table with the host.
#include "daemon/python/host/hosted_plugin.hpp"
#include "daemon/python/host/python_host.hpp"

namespace nfstreamd::python {
namespace {

class Host final : public daemon::PythonHost {
public:
    Result<std::shared_ptr<FlowExtension>> load(const daemon::PythonPluginOptions& options,
                                                const daemon::PythonPluginContext& context, const Declare& declare,
                                                Logger& logger) override {
        return HostedPlugin::load(options, context, declare, logger);
    }
};

}  // namespace
}  // namespace nfstreamd::python

extern "C" __attribute__((visibility("default"))) const nfstreamd::daemon::PythonHostTable* nfstreamd_python_host(
    std::uint32_t abi) {
    using namespace nfstreamd;
    static python::Host host;
    static const daemon::PythonHostTable table{daemon::kPythonHostAbi, NFSTREAMD_VERSION, &host};
    return abi == daemon::kPythonHostAbi ? &table : nullptr;
}
