// SPDX-License-Identifier: Apache-2.0
#include "exporters/publish/access.hpp"

#include <fmt/format.h>

namespace nfstreamd::exporters {

Status check_tls(const config::Settings& settings, bool encrypted, std::string_view how_to_encrypt) {
    for (const auto& setting : kTlsSettings)
        if (!encrypted && !settings.string(setting.name).empty())
            return setting_error(settings, setting.name, fmt::format("needs {}", how_to_encrypt));
    const bool certificate = !settings.string("tls.certificate").empty();
    if (certificate != !settings.string("tls.key").empty())
        return setting_error(settings, certificate ? "tls.certificate" : "tls.key",
                             certificate ? "needs tls.key" : "needs tls.certificate");
    return ok();
}

Status check_password(const config::Settings& settings) {
    if (!settings.string("password").empty() && settings.string("user").empty())
        return setting_error(settings, "password", "needs user");
    return ok();
}

}  // namespace nfstreamd::exporters
