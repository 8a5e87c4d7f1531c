// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/transport_settings.hpp"

#include <fmt/format.h>

namespace nfstreamd::exporters {
namespace {

// "off" is zero.
std::chrono::milliseconds duration_or_zero(const config::Settings& settings, std::string_view name) {
    return settings.has_value(name) ? settings.duration(name) : std::chrono::milliseconds(0);
}

}  // namespace

Result<TransportOptions> transport_options(const config::Settings& settings) {
    TransportOptions options;
    options.source_address = settings.string("source_address");
    if (!options.source_address.empty()) {
        boost::system::error_code error;
        boost::asio::ip::make_address(options.source_address, error);
        if (error)
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("source_address: \"{}\" is not an IP address", options.source_address),
                         settings.where("source_address")};
    }
    options.mtu = static_cast<std::size_t>(settings.integer("mtu"));
    options.connect_timeout = settings.duration("connect_timeout");
    options.stall_timeout = settings.duration("stall_timeout");
    options.resolve_interval = duration_or_zero(settings, "resolve_interval");
    options.session_lifetime = duration_or_zero(settings, "session_lifetime");
    options.tls = {.ca = settings.string("tls.ca"),
                   .certificate = settings.string("tls.certificate"),
                   .key = settings.string("tls.key"),
                   .server_name = settings.string("tls.server_name"),
                   .ciphers = settings.string("tls.ciphers")};
    return options;
}

Result<std::unique_ptr<MessageTransport>> make_message_transport(const Endpoint& endpoint,
                                                                 const config::Settings& settings) {
    const auto options = transport_options(settings);
    if (!options) return options.error();
    auto made = make_message_transport(endpoint, options.value());
    if (made || made.error().where.empty()) return made;
    const std::string& setting = made.error().where;
    return Error{made.error().code, fmt::format("{}: {}", setting, made.error().message), settings.where(setting)};
}

}  // namespace nfstreamd::exporters
