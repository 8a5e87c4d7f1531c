// SPDX-License-Identifier: Apache-2.0
// What is served by HTTP: /metrics, /healthz and, if it is wanted, the page.
// Built without NFSTREAMD_WITH_METRICS it cannot be configured. Control thread.
#pragma once
#include <functional>
#include <memory>
#include <utility>  // before asio: Boost 1.74 forgets it

#include <boost/asio/io_context.hpp>

#include "config/config.hpp"
#include "core/base/result.hpp"
#include "daemon/pipeline.hpp"
#include "daemon/status.hpp"

namespace nfstreamd::daemon {

// What one setting alone cannot show: that the address is one, and that the program can serve.
Status check_metrics(const config::MetricsConfig& config);

class MetricsServer {
public:
    struct View {
        DaemonStatus status;
        PipelineTotals totals;
        bool stopping = false;
    };

    MetricsServer(boost::asio::io_context& context, std::function<View()> view);
    ~MetricsServer();

    // Serves as configured from now on, or goes on as before with an error.
    Status configure(const config::MetricsConfig& config);
    void close();

private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace nfstreamd::daemon
