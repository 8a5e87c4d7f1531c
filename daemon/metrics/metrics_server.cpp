// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics/metrics_server.hpp"

#include "daemon/metrics/health.hpp"
#include "daemon/metrics/http_server.hpp"
#include "daemon/metrics/listen_address.hpp"
#include "daemon/metrics/metrics_text.hpp"
#include "daemon/metrics/page/page.hpp"

namespace nfstreamd::daemon {
namespace {

constexpr const char* kJson = "application/json";

Error at(const config::MetricsConfig& config, Error error) {
    error.where = config.where;
    return error;
}

}  // namespace

Status check_metrics(const config::MetricsConfig& config) {
    if (!config.on()) return ok();
    if (auto parsed = parse_listen_address(listen_text(config)); !parsed) return at(config, parsed.error());
    return ok();
}

class MetricsServer::Implementation {
public:
    Implementation(boost::asio::io_context& context, std::function<View()> view)
        : view_(std::move(view)), server_(context, [this](std::string_view path) { return answer(path); }) {}

    Status configure(const config::MetricsConfig& config) {
        if (!config.on()) {
            server_.close();
        } else {
            const auto endpoint = parse_listen_address(listen_text(config));
            if (!endpoint) return at(config, endpoint.error());
            if (auto moved = server_.move_to(endpoint.value()); !moved) return at(config, moved.error());
        }
        page_ = config.page;
        return ok();
    }

    void close() { server_.close(); }

private:
    std::optional<HttpAnswer> answer(std::string_view path) {
        if (path == "/metrics") {
            const auto view = view_();
            return HttpAnswer{200, std::string(kMetricsContentType),
                              metrics_text(view.status, view.totals, process_usage(), shown_)};
        }
        if (path == "/healthz") {
            const auto view = view_();
            const auto health = health_of(view.status, view.stopping);
            return HttpAnswer{health.ok() ? 200u : 503u, kJson, health_json(view.status, health) + "\n"};
        }
        if (!page_) return std::nullopt;
        if (path == "/status.json") return HttpAnswer{200, kJson, status_json(view_().status) + "\n"};
        for (const PageFile& file : page_files())
            if (path == file.path) return HttpAnswer{200, file.content_type, std::string(file.content)};
        return std::nullopt;
    }

    std::function<View()> view_;
    ShownCounters shown_;
    bool page_ = false;
    HttpServer server_;  // last: asks the others
};

MetricsServer::MetricsServer(boost::asio::io_context& context, std::function<View()> view)
    : implementation_(std::make_unique<Implementation>(context, std::move(view))) {}
MetricsServer::~MetricsServer() = default;

Status MetricsServer::configure(const config::MetricsConfig& config) {
    return implementation_->configure(config);
}
void MetricsServer::close() {
    implementation_->close();
}

}  // namespace nfstreamd::daemon
