// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/endpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "exporters/transport/host_addresses.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr std::string_view kSeparator = "://";

// "udp://HOST:PORT or tcp://HOST:PORT"
std::string forms(std::span<const EndpointProtocol> protocols, std::string_view what, std::string_view last_joint) {
    std::string out;
    for (std::size_t i = 0; i < protocols.size(); ++i) {
        const std::string_view joint = i == 0 ? "" : i + 1 < protocols.size() ? ", " : last_joint;
        out += fmt::format("{}{}{}{}", joint, name_of(protocols[i]), kSeparator, what);
    }
    return out;
}

struct Parser {
    std::string_view text;
    std::span<const EndpointProtocol> protocols;

    Error bad(std::string_view why) const {
        return {ErrorCode::kInvalidArgument,
                fmt::format("\"{}\": {}; write {}, an IPv6 address in brackets", text, why,
                            forms(protocols, "HOST:PORT", " or ")),
                ""};
    }

    Result<EndpointProtocol> protocol() const {
        const auto begins = [&](EndpointProtocol p) {
            return text.starts_with(name_of(p)) && text.substr(name_of(p).size()).starts_with(kSeparator);
        };
        for (const EndpointProtocol p : protocols)
            if (begins(p)) return p;
        for (const EndpointProtocol p : kEveryProtocol)
            if (begins(p)) return bad(fmt::format("{}{} is not possible here", name_of(p), kSeparator));
        return bad("it begins with none of " + forms(protocols, "", ", "));
    }
};

// HOST, HOST:PORT, [HOST], [HOST]:PORT
struct HostAndPort {
    std::string_view host;
    std::optional<std::string_view> port;
    std::string_view fault;
};

HostAndPort split(std::string_view rest) {
    if (rest.starts_with('[')) {
        const auto end = rest.find(']');
        if (end == std::string_view::npos) return {{}, {}, "the bracket is not closed"};
        const auto host = rest.substr(1, end - 1);
        rest.remove_prefix(end + 1);
        if (rest.empty()) return {host, {}, {}};
        if (rest.front() != ':') return {{}, {}, "something other than :PORT follows ]"};
        return {host, rest.substr(1), {}};
    }
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos) return {rest, {}, {}};
    if (colon != rest.rfind(':')) return {{}, {}, "it has more than one colon"};
    return {rest.substr(0, colon), rest.substr(colon + 1), {}};
}

}  // namespace

std::string_view name_of(EndpointProtocol protocol) noexcept {
    constexpr std::string_view kNames[] = {"udp", "tcp", "tls", "dtls", "sctp"};
    return kNames[static_cast<std::size_t>(protocol)];
}

std::string Endpoint::text() const {
    const bool v6 = host.find(':') != std::string::npos;
    return fmt::format("{}{}{}{}{}:{}", name_of(protocol), kSeparator, v6 ? "[" : "", host, v6 ? "]" : "", port);
}

Result<Endpoint> parse_endpoint(std::string_view text, DefaultPorts ports,
                                std::span<const EndpointProtocol> protocols) {
    const Parser parser{text, protocols};
    const auto protocol = parser.protocol();
    if (!protocol) return protocol.error();
    const auto parts = split(text.substr(name_of(protocol.value()).size() + kSeparator.size()));
    if (!parts.fault.empty()) return parser.bad(parts.fault);
    if (parts.host.empty()) return parser.bad("the host is missing");
    if (parts.host.find('/') != std::string_view::npos) return parser.bad("a path has no meaning here");
    Endpoint endpoint{protocol.value(), std::string(parts.host),
                      is_secure(protocol.value()) ? ports.secure : ports.plain};
    if (parts.port) {
        const char* const last = parts.port->data() + parts.port->size();
        const auto [end, code] = std::from_chars(parts.port->data(), last, endpoint.port);
        if (code != std::errc{} || end != last || endpoint.port == 0)
            return parser.bad("the port is not a number from 1 to 65535");
    }
    return endpoint;
}

Result<Addresses> resolve_host(const std::string& host, std::chrono::milliseconds timeout) {
    return HostAddresses(host).get(std::chrono::steady_clock::now() + timeout);
}

}  // namespace nfstreamd::exporters
