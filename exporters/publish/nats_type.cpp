// SPDX-License-Identifier: Apache-2.0
// The settings of exporter type nats, and how one is made of them.
#include <fmt/format.h>

#include <algorithm>

#include "exporters/publish/access.hpp"
#include "exporters/publish/packing.hpp"
#include "exporters/publish/types.hpp"
#include "exporters/transport/endpoint.hpp"
#include "exporters/transport/nats_transport.hpp"

namespace nfstreamd::exporters {
namespace {

using config::SettingSpec;
using config::SettingType;

constexpr std::uint16_t kDefaultPort = 4222;

constexpr std::array kOwnSettings{
    SettingSpec{.name = "servers",
                .type = SettingType::kStringList,
                .default_value = "",
                .required = true,
                .description =
                    "nats://HOST:PORT, or tls://HOST:PORT with TLS, one or several of a cluster (4222 without "
                    "a port)."},
    SettingSpec{.name = "subject",
                .type = SettingType::kString,
                .default_value = "",
                .required = true,
                .description = "The subject to publish to."},
    SettingSpec{.name = "jetstream",
                .type = SettingType::kBool,
                .default_value = "false",
                .description = "A message is delivered when a stream has acknowledged it; false: when a server has it, "
                               "whoever listens there."},
    size_setting("1000000", 64.0 * 1024 * 1024),
    SettingSpec{.name = "token",
                .type = SettingType::kSecret,
                .default_value = "",
                .description = "Token to show to the server."},
    SettingSpec{.name = "credentials_file",
                .type = SettingType::kString,
                .default_value = "",
                .description = "File of a user's JWT and key, as nsc makes it."},
};
constexpr auto kPacking = broker_packing("1");
constexpr auto kSettings = joined_settings(kOwnSettings, kPacking, kPasswordSettings, kTlsSettings);

Status read_servers(const config::Settings& settings, NatsOptions& options) {
    for (const std::string& text : settings.strings("servers")) {
        const bool this_tls = text.starts_with("tls://");
        const auto colon = text.find("://");
        const auto endpoint = colon == std::string::npos
                                  ? Result<Endpoint>(Error{})
                                  : parse_endpoint("tcp" + text.substr(colon), {kDefaultPort, kDefaultPort});
        if (!endpoint || (!this_tls && !text.starts_with("nats://")) || text.find('@') != std::string::npos)
            return setting_error(settings, "servers",
                                 fmt::format("\"{}\" is not nats://HOST:PORT or tls://HOST:PORT", text));
        options.servers.push_back((this_tls ? "tls" : "nats") + endpoint.value().text().substr(3));
        options.tls = options.tls || this_tls;
    }
    if (options.servers.empty()) return setting_error(settings, "servers", "must name a server");
    return ok();
}

Status check_subject(const config::Settings& settings) {
    const std::string& subject = settings.string("subject");
    const bool illegal =
        std::any_of(subject.begin(), subject.end(), [](unsigned char c) { return c <= ' ' || c == '*' || c == '>'; });
    if (subject.empty() || illegal || subject.front() == '.' || subject.back() == '.' ||
        subject.find("..") != std::string::npos)
        return setting_error(settings, "subject", "must be words with dots between them, without spaces, * and >");
    return ok();
}

Result<std::unique_ptr<Exporter>> make_nats(const ExporterContext& context) {
    const config::Settings& settings = context.settings;
    NatsOptions options;
    if (Status status = read_servers(settings, options); !status) return status.error();
    if (Status status = check_subject(settings); !status) return status.error();
    if (Status status = check_tls(settings, options.tls, "a server tls://HOST:PORT"); !status) return status.error();
    if (Status status = check_password(settings); !status) return status.error();
    options.subject = settings.string("subject");
    options.client_name = "nfstreamd " + context.name;
    options.jetstream = settings.boolean("jetstream");
    options.user = settings.string("user");
    options.password = settings.string("password");
    options.token = settings.string("token");
    options.credentials_file = settings.string("credentials_file");
    options.ca_file = settings.string("tls.ca");
    options.certificate_file = settings.string("tls.certificate");
    options.key_file = settings.string("tls.key");
    const int ways = !options.user.empty() + !options.token.empty() + !options.credentials_file.empty();
    if (ways > 1)
        return setting_error(settings, options.token.empty() ? "credentials_file" : "token",
                             "give one of user, token and credentials_file");
    auto packers = make_packers(context, static_cast<std::size_t>(settings.integer("max_message_size")));
    if (!packers) return packers.error();
    return std::unique_ptr<Exporter>(std::make_unique<PublishingExporter>(
        packers.value(), MessageKey::kNone, std::make_unique<NatsTransport>(std::move(options))));
}

}  // namespace

constinit const ExporterType kNatsExporterType{
    .name = "nats",
    .summary = "JSON, CSV or IPFIX messages to a subject of NATS, or a stream of its JetStream",
    .settings = kSettings,
    .exclusive = false,
    .make = &make_nats,
};

}  // namespace nfstreamd::exporters
