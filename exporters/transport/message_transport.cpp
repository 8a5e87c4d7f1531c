// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/message_transport.hpp"

#include <fmt/format.h>

#include "exporters/transport/dtls_transport.hpp"
#include "exporters/transport/sctp_transport.hpp"
#include "exporters/transport/tcp_transport.hpp"
#include "exporters/transport/tls_transport.hpp"
#include "exporters/transport/udp_transport.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr std::size_t kIpAndUdpHeaders = 48;              // IPv6's; IPv4 needs less
constexpr std::size_t kDtlsOverhead = 13 + 16 + 48 + 16;  // record header, IV, SHA-384, padding: the most there is

using Made = Result<std::unique_ptr<MessageTransport>>;

template <class Transport>
Made made(auto&&... arguments) {
    return std::unique_ptr<MessageTransport>(std::make_unique<Transport>(arguments...));
}

}  // namespace

std::size_t datagram_limit(EndpointProtocol protocol, std::size_t mtu) noexcept {
    if (protocol == EndpointProtocol::kUdp) return mtu - kIpAndUdpHeaders;
    if (protocol == EndpointProtocol::kDtls) return mtu - kIpAndUdpHeaders - kDtlsOverhead;
    return 0;
}

Result<std::unique_ptr<MessageTransport>> make_message_transport(const Endpoint& endpoint,
                                                                 const TransportOptions& options) {
    switch (endpoint.protocol) {
        case EndpointProtocol::kUdp:
            return made<UdpTransport>(endpoint, options);
        case EndpointProtocol::kTcp:
            return made<TcpTransport>(endpoint, options);
        case EndpointProtocol::kSctp:
            return made<SctpTransport>(endpoint, options);
        case EndpointProtocol::kTls:
        case EndpointProtocol::kDtls:
            break;
    }
    const bool datagrams = endpoint.protocol == EndpointProtocol::kDtls;
    auto context = TlsContext::load(options.tls, datagrams);
    if (!context) return context.error();
    return datagrams ? made<DtlsTransport>(endpoint, options, context.value())
                     : made<TlsTransport>(endpoint, options, context.value());
}

}  // namespace nfstreamd::exporters
