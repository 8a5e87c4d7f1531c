// SPDX-License-Identifier: Apache-2.0
// In place of the other files here in a build without metrics: nothing can be configured.
#include "daemon/metrics/metrics_server.hpp"

namespace nfstreamd::daemon {

class MetricsServer::Implementation {};

MetricsServer::MetricsServer(boost::asio::io_context&, std::function<View()>) {}
MetricsServer::~MetricsServer() = default;

Status check_metrics(const config::MetricsConfig& config) {
    if (!config.on()) return ok();
    return Error{ErrorCode::kInvalidArgument,
                 "cannot be served: this program was built without metrics (NFSTREAMD_WITH_METRICS)", config.where};
}
Status MetricsServer::configure(const config::MetricsConfig& config) {
    return check_metrics(config);
}
void MetricsServer::close() {}

}  // namespace nfstreamd::daemon
