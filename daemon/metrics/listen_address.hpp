// SPDX-License-Identifier: Apache-2.0
// ADDRESS:PORT as an operator writes it for a port that is listened on. No name
// is resolved: where a service is reachable must not hang on a name server. Any thread.
#pragma once
#include <string>
#include <string_view>
#include <utility>  // before asio: Boost 1.74 forgets it

#include <boost/asio/ip/tcp.hpp>

#include "config/config.hpp"
#include "core/base/result.hpp"

namespace nfstreamd::daemon {

inline constexpr std::string_view kDefaultListen = "127.0.0.1:9587";

// "127.0.0.1:9587", "[::1]:9587"; localhost is 127.0.0.1.
Result<boost::asio::ip::tcp::endpoint> parse_listen_address(std::string_view text);

// Where it is served by this configuration, if it is at all.
std::string listen_text(const config::MetricsConfig& config);

}  // namespace nfstreamd::daemon
