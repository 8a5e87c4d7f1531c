// SPDX-License-Identifier: Apache-2.0
#include "exporters/session/collector_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nfstreamd::exporters {
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
