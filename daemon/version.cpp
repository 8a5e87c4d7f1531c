// SPDX-License-Identifier: Apache-2.0
#include "daemon/version.hpp"

#include <fmt/format.h>

#include "core/application/ndpi_dissector.hpp"
#include "core/capture/packet_source.hpp"
#include "core/enrichment/mmdb_file.hpp"
#include "core/model/predictor.hpp"

namespace nfstreamd::daemon {

std::string_view version() noexcept {
    return NFSTREAMD_VERSION;
}

namespace {

// libpcap says "libpcap version 1.10.3 (...)" of itself.
std::string number_of(std::string text) {
    constexpr std::string_view kPrefix = "libpcap version ";
    return text.starts_with(kPrefix) ? text.substr(kPrefix.size()) : text;
}

}  // namespace

// libfixbuf cannot be asked at run time: it is the version built with.
std::string version_text(std::string_view program) {
    return fmt::format("{} {}\nlibpcap {}\nnDPI {}\nlibfixbuf {}\nlibmaxminddb {}\nlibxgboost {}\n", program, version(),
                       number_of(libpcap_version()), ndpi_version(), NFSTREAMD_LIBFIXBUF_VERSION,
                       mmdb_library_version(), xgboost_version());
}

}  // namespace nfstreamd::daemon
