// SPDX-License-Identifier: Apache-2.0
#include "exporters/publish/collector.hpp"

#include <fmt/format.h>

namespace nfstreamd::exporters {
namespace {

constexpr std::int64_t kIpAndUdpHeaders = 48;  // IPv6's; IPv4 needs less

}  // namespace

Result<Collector> make_collector(const config::Settings& settings, std::uint16_t default_port) {
    const auto& collectors = settings.strings("collectors");
    if (collectors.size() != 1)
        return setting_error(settings, "collectors",
                             collectors.empty()
                                 ? "must name a receiver"
                                 : "an exporter has one; for a copy to each write one exporter for each");
    const auto endpoint = parse_endpoint(collectors.front(), default_port);
    if (!endpoint) return setting_error(settings, "collectors", endpoint.error().message);
    if (endpoint.value().port == 0)
        return setting_error(settings, "collectors", fmt::format("\"{}\": the port is missing", collectors.front()));
    const std::string& source = settings.string("source_address");
    if (!source.empty()) {
        boost::system::error_code error;
        boost::asio::ip::make_address(source, error);
        if (error) return setting_error(settings, "source_address", fmt::format("\"{}\" is not an IP address", source));
    }
    return Collector{make_message_transport(endpoint.value(), source),
                     static_cast<std::size_t>(settings.integer("mtu") - kIpAndUdpHeaders)};
}

}  // namespace nfstreamd::exporters
