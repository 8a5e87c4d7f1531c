// SPDX-License-Identifier: Apache-2.0
#include "exporters/session/collector_settings.hpp"

#include <fmt/format.h>

#include <utility>

namespace nfstreamd::exporters {
namespace {

constexpr std::uint16_t kIpAndUdpHeaders = 48;  // IPv6's; IPv4 needs less

}  // namespace

Error setting_error(const config::Settings& settings, std::string_view key, std::string_view message) {
    return {ErrorCode::kInvalidArgument, fmt::format("{}: {}", key, message), settings.where(key)};
}

Result<Collectors> make_collectors(const config::Settings& settings, std::uint16_t default_port) {
    const std::string& source = settings.string("source_address");
    if (!source.empty()) {
        boost::system::error_code error;
        boost::asio::ip::make_address(source, error);
        if (error) return setting_error(settings, "source_address", fmt::format("\"{}\" is not an IP address", source));
    }
    Collectors made;
    made.max_datagram = static_cast<std::uint16_t>(settings.integer("mtu") - kIpAndUdpHeaders);
    for (const std::string& text : settings.strings("collectors")) {
        const auto endpoint = parse_endpoint(text, default_port);
        if (!endpoint) return setting_error(settings, "collectors", endpoint.error().message);
        made.transports.push_back(make_message_transport(endpoint.value(), source));
        made.datagrams = made.datagrams || made.transports.back()->is_datagram();
    }
    return made;
}

CollectorOptions collector_options(const config::Settings& settings) {
    CollectorOptions options;
    if (settings.string("policy") == "round_robin") options.policy = CollectorPolicy::kRoundRobin;
    options.failback = settings.duration("failback");
    options.session.refusal_fails = settings.strings("collectors").size() > 1;
    return options;
}

}  // namespace nfstreamd::exporters
