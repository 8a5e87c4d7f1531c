// SPDX-License-Identifier: Apache-2.0
// The settings of exporter type mqtt, and how one is made of them.
#include <fmt/format.h>

#include "exporters/publish/access.hpp"
#include "exporters/publish/packing.hpp"
#include "exporters/publish/types.hpp"
#include "exporters/transport/endpoint.hpp"
#include "exporters/transport/mqtt_transport.hpp"

namespace nfstreamd::exporters {
namespace {

using config::SettingSpec;
using config::SettingType;

constexpr std::uint16_t kPort = 1883, kTlsPort = 8883;
constexpr double kMostOctets = 268'435'455;  // MQTT 3.1.1, 2.2.3
constexpr std::size_t kLongestTopic = 65535;

constexpr std::array kOwnSettings{
    SettingSpec{.name = "broker",
                .type = SettingType::kString,
                .default_value = "",
                .required = true,
                .description = "mqtt://HOST:PORT, or mqtts://HOST:PORT with TLS (1883 and 8883 without a port)."},
    SettingSpec{.name = "topic",
                .type = SettingType::kString,
                .default_value = "nfstreamd/{exporter}",
                .description = "The topic to publish to; {exporter} stands for the exporter's name."},
    SettingSpec{.name = "qos",
                .type = SettingType::kInteger,
                .default_value = "1",
                .description = "Quality of service: 0, at most once, nothing is confirmed; 1, at least once; 2, "
                               "exactly once, as long as the probe runs.",
                .min = 0,
                .max = 2},
    SettingSpec{.name = "client_id",
                .type = SettingType::kString,
                .default_value = "",
                .description = "The session's name at the broker, no other client's; empty: a random one."},
    SettingSpec{.name = "clean_session",
                .type = SettingType::kBool,
                .default_value = "true",
                .description = "The broker keeps no session of an earlier run; false needs client_id."},
    SettingSpec{.name = "retain",
                .type = SettingType::kBool,
                .default_value = "false",
                .description = "The broker keeps the newest message for those who subscribe later."},
    SettingSpec{.name = "keepalive",
                .type = SettingType::kDuration,
                .default_value = "60s",
                .description = "The connection is proven at least so often; not less than flush_interval.",
                .min = 5,
                .max = 65535},
    size_setting("256KiB", kMostOctets),
};
constexpr auto kPacking = broker_packing("1");
constexpr auto kSettings = joined_settings(kOwnSettings, kPacking, kPasswordSettings, kTlsSettings);

Status read_broker(const config::Settings& settings, MqttOptions& options) {
    const std::string& text = settings.string("broker");
    options.tls = text.starts_with("mqtts://");
    if (!options.tls && !text.starts_with("mqtt://"))
        return setting_error(settings, "broker", "must begin with mqtt:// or mqtts://");
    const std::uint16_t port = options.tls ? kTlsPort : kPort;
    const auto endpoint = parse_endpoint("tcp" + text.substr(text.find("://")), {port, port});
    if (!endpoint) return setting_error(settings, "broker", fmt::format("\"{}\" is not mqtt://HOST:PORT", text));
    options.host = endpoint.value().host;
    options.port = endpoint.value().port;
    return ok();
}

Status read_topic(const ExporterContext& context, MqttOptions& options) {
    constexpr std::string_view kName = "{exporter}";
    options.topic = context.settings.string("topic");
    if (const auto at = options.topic.find(kName); at != std::string::npos)
        options.topic.replace(at, kName.size(), context.name);
    if (options.topic.empty() || options.topic.size() > kLongestTopic)
        return setting_error(context.settings, "topic", "must not be empty");
    if (options.topic.find_first_of("+#{}") != std::string::npos)
        return setting_error(context.settings, "topic", "must not have + or #, and no braces but {exporter}");
    return ok();
}

Result<std::unique_ptr<Exporter>> make_mqtt(const ExporterContext& context) {
    const config::Settings& settings = context.settings;
    MqttOptions options;
    if (Status status = read_broker(settings, options); !status) return status.error();
    if (Status status = read_topic(context, options); !status) return status.error();
    if (Status status = check_tls(settings, options.tls, "a broker mqtts://HOST:PORT"); !status) return status.error();
    if (Status status = check_password(settings); !status) return status.error();
    options.qos = static_cast<int>(settings.integer("qos"));
    options.client_id = settings.string("client_id");
    options.clean_session = settings.boolean("clean_session");
    if (!options.clean_session && options.client_id.empty())
        return setting_error(settings, "clean_session", "false needs client_id");
    options.retain = settings.boolean("retain");
    options.keepalive = std::chrono::duration_cast<std::chrono::seconds>(settings.duration("keepalive"));
    if (settings.duration("flush_interval") > options.keepalive)
        return setting_error(settings, "keepalive", "must not be less than flush_interval");
    options.user = settings.string("user");
    options.password = settings.string("password");
    options.ca_file = settings.string("tls.ca");
    options.certificate_file = settings.string("tls.certificate");
    options.key_file = settings.string("tls.key");
    auto packers = make_packers(context, static_cast<std::size_t>(settings.integer("max_message_size")));
    if (!packers) return packers.error();
    return std::unique_ptr<Exporter>(std::make_unique<PublishingExporter>(
        packers.value(), MessageKey::kNone,
        std::make_unique<MqttTransport>(std::move(options), context.name, context.logger)));
}

}  // namespace

constinit const ExporterType kMqttExporterType{
    .name = "mqtt",
    .summary = "JSON, CSV or IPFIX messages to a topic of an MQTT broker",
    .settings = kSettings,
    .exclusive = true,  // a broker ends the older of two sessions with one client_id
    .make = &make_mqtt,
};

}  // namespace nfstreamd::exporters
