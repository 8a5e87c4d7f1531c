// SPDX-License-Identifier: Apache-2.0
#include "exporters/session/collector_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nfstreamd::exporters {
namespace {

bool is_this_host(const std::string& host) {
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(host, error);
    return error ? host == "localhost" : address.is_loopback();
}

}  // namespace

Error setting_error(const config::Settings& settings, std::string_view key, std::string_view message) {
    return {ErrorCode::kInvalidArgument, fmt::format("{}: {}", key, message), settings.where(key)};
}

Result<Collectors> make_collectors(const config::Settings& settings, DefaultPorts ports,
                                   std::span<const EndpointProtocol> protocols) {
    const auto mtu = static_cast<std::size_t>(settings.integer("mtu"));
    Collectors made;
    for (const std::string& text : settings.strings("collectors")) {
        const auto endpoint = parse_endpoint(text, ports, protocols);
        if (!endpoint) return setting_error(settings, "collectors", endpoint.error().message);
        auto transport = make_message_transport(endpoint.value(), settings);
        if (!transport) return transport.error();
        made.transports.push_back(std::move(transport.value()));
        const std::size_t limit = datagram_limit(endpoint.value().protocol, mtu);
        if (limit > 0) made.max_message = made.max_message == 0 ? limit : std::min(made.max_message, limit);
    }
    return made;
}

bool has_stream(const config::Settings& settings) {
    const auto& collectors = settings.strings("collectors");
    return std::any_of(collectors.begin(), collectors.end(), [](const std::string& text) {
        const auto endpoint = parse_endpoint(text, kIpfixPorts);
        return endpoint && datagram_limit(endpoint.value().protocol, kSmallestMtu) == 0;
    });
}

std::vector<Endpoint> unencrypted_collectors(const config::Settings& settings, DefaultPorts ports) {
    std::vector<Endpoint> found;
    for (const std::string& text : settings.strings("collectors")) {
        const auto endpoint = parse_endpoint(text, ports);
        if (endpoint && !is_secure(endpoint.value().protocol) && !is_this_host(endpoint.value().host))
            found.push_back(endpoint.value());
    }
    return found;
}

CollectorOptions collector_options(const config::Settings& settings) {
    CollectorOptions options;
    if (settings.string("policy") == "round_robin") options.policy = CollectorPolicy::kRoundRobin;
    options.failback = settings.duration("failback");
    // who keeps records wants to know what may be lost, and that nobody is there
    options.session.remembers = !settings.string("spool.directory").empty();
    options.session.refusal_fails = options.session.remembers || settings.strings("collectors").size() > 1;
    return options;
}

}  // namespace nfstreamd::exporters
