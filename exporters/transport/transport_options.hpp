// SPDX-License-Identifier: Apache-2.0
// How a collector is spoken to, apart from where it is.
#pragma once
#include <chrono>
#include <cstddef>
#include <string>

namespace nfstreamd::exporters {

// Paths of PEM files.
struct TlsOptions {
    std::string ca;           // certificates of those whose word on the collector's is taken
    std::string certificate;  // ours, with what leads to its CA behind it
    std::string key;
    std::string server_name;  // in the collector's certificate; empty: the endpoint's host
    std::string ciphers;      // of TLS 1.2 and DTLS 1.2; empty: the library's
};

struct TransportOptions {
    std::string source_address{};  // empty: the system chooses
    TlsOptions tls{};
    std::size_t mtu = 1420;                              // greatest IP packet that a datagram may make
    std::chrono::milliseconds connect_timeout{4000};     // of all addresses together, name and handshake included
    std::chrono::milliseconds stall_timeout{30000};      // nothing moves, nobody answers: the session is over
    std::chrono::milliseconds resolve_interval{300000};  // 0: a name is looked up for a new session only
    std::chrono::milliseconds session_lifetime{600000};  // DTLS; 0: no limit
};

}  // namespace nfstreamd::exporters
