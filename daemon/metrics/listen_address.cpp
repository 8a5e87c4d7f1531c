// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics/listen_address.hpp"

#include <fmt/format.h>

#include <charconv>

namespace nfstreamd::daemon {
namespace {

Error refused(std::string_view text, std::string_view why) {
    return {
        ErrorCode::kInvalidArgument,
        fmt::format("'{}' is no ADDRESS:PORT to listen on, such as {} or [::1]:9587: {}", text, kDefaultListen, why),
        ""};
}

}  // namespace

Result<boost::asio::ip::tcp::endpoint> parse_listen_address(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return refused(text, "the port is missing");
    auto host = text.substr(0, colon);
    const auto port_text = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, problem] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
    if (problem != std::errc{} || end != port_text.data() + port_text.size() || port == 0)
        return refused(text, "the port is a number from 1 to 65535");
    const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (host.empty()) return refused(text, "the address is missing; 0.0.0.0 and [::] are every address");
    if (host == "localhost") host = "127.0.0.1";
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(std::string(host), error);
    if (error) return refused(text, "the address is not one in numbers");
    if (address.is_v6() != bracketed) return refused(text, "an IPv6 address stands in brackets, and no other does");
    return boost::asio::ip::tcp::endpoint(address, port);
}

std::string listen_text(const config::MetricsConfig& config) {
    if (!config.on()) return {};
    return config.listen.empty() ? std::string(kDefaultListen) : config.listen;
}

}  // namespace nfstreamd::daemon
