// SPDX-License-Identifier: Apache-2.0
// The settings of exporter type kafka, and how one is made of them.
#include <fmt/format.h>

#include <algorithm>

#include "exporters/publish/access.hpp"
#include "exporters/publish/packing.hpp"
#include "exporters/publish/types.hpp"
#include "exporters/transport/endpoint.hpp"
#include "exporters/transport/kafka_transport.hpp"

namespace nfstreamd::exporters {
namespace {

using config::SettingSpec;
using config::SettingType;

constexpr std::uint16_t kDefaultPort = 9092;
constexpr double kMostOctets = 9e8;  // librdkafka takes 1e9, with its framing

constexpr std::array kOwnSettings{
    SettingSpec{.name = "brokers",
                .type = SettingType::kStringList,
                .default_value = "",
                .required = true,
                .description = "Some of the cluster's brokers, HOST:PORT (9092 without a port)."},
    SettingSpec{.name = "topic",
                .type = SettingType::kString,
                .default_value = "",
                .required = true,
                .description = "The topic to write to."},
    SettingSpec{.name = "key",
                .type = SettingType::kChoice,
                .default_value = "flow",
                .description = "Key of the messages: flow, so that all records of a flow, in both directions, go to "
                               "one partition; none, any partition.",
                .choices = "flow none"},
    size_setting("1000000", kMostOctets),
    SettingSpec{.name = "compression",
                .type = SettingType::kChoice,
                .default_value = "lz4",
                .description = "How batches of messages are compressed.",
                .choices = "none gzip snappy lz4 zstd"},
    SettingSpec{.name = "client_id",
                .type = SettingType::kString,
                .default_value = "nfstreamd",
                .description = "Name in the brokers' logs and quotas."},
    SettingSpec{.name = "in_flight_messages",
                .type = SettingType::kInteger,
                .default_value = "100000",
                .description = "Messages that may be unconfirmed; then records wait in their queue.",
                .min = 1,
                .max = 10'000'000},
    SettingSpec{.name = "in_flight_size",
                .type = SettingType::kSize,
                .default_value = "64MiB",
                .description = "Octets of these, at most.",
                .min = 1'000'000,
                .max = 2e9},
    SettingSpec{.name = "delivery_timeout",
                .type = SettingType::kDuration,
                .default_value = "0s",
                .description = "A message that no broker has confirmed for so long is given up, counted in "
                               "dropped_failed; 0: never.",
                .min = 0,
                .max = 86400},
    SettingSpec{.name = "security",
                .type = SettingType::kChoice,
                .default_value = "plaintext",
                .description = "Protocol to the brokers.",
                .choices = "plaintext ssl sasl_plaintext sasl_ssl"},
    SettingSpec{.name = "sasl_mechanism",
                .type = SettingType::kChoice,
                .default_value = "SCRAM-SHA-512",
                .description = "How user and password are shown, with security sasl_plaintext or sasl_ssl.",
                .choices = "PLAIN SCRAM-SHA-256 SCRAM-SHA-512"},
    SettingSpec{.name = "librdkafka",
                .type = SettingType::kStringList,
                .default_value = "[]",
                .description = "Further properties of librdkafka, \"name=value\"; they override ours."},
};
constexpr auto kPacking = broker_packing("1");
constexpr auto kSettings = joined_settings(kOwnSettings, kPacking, kPasswordSettings, kTlsSettings);

Result<std::vector<std::string>> brokers_of(const config::Settings& settings) {
    std::vector<std::string> brokers;
    for (const std::string& text : settings.strings("brokers")) {
        const auto endpoint = parse_endpoint("tcp://" + text, {kDefaultPort, kDefaultPort});
        if (text.find("://") != std::string::npos || !endpoint)
            return setting_error(settings, "brokers", fmt::format("\"{}\" is not HOST:PORT", text));
        brokers.push_back(endpoint.value().text().substr(6));
    }
    if (brokers.empty()) return setting_error(settings, "brokers", "must name a broker");
    return brokers;
}

// Legal names by Kafka's own rule.
bool is_topic(const std::string& name) {
    const auto legal = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    };
    return !name.empty() && name.size() <= 249 && name != "." && name != ".." &&
           std::all_of(name.begin(), name.end(), legal);
}

Status add_security(const config::Settings& settings, KafkaOptions& options) {
    const std::string& security = settings.string("security");
    const bool sasl = security.starts_with("sasl"), tls = security.ends_with("ssl");
    if (Status status = check_tls(settings, tls, "security: ssl or sasl_ssl"); !status) return status;
    if (sasl != !settings.string("user").empty())
        return setting_error(settings, sasl ? "security" : "user",
                             sasl ? "needs user and password" : "needs security: sasl_ssl or sasl_plaintext");
    if (Status status = check_password(settings); !status) return status;
    options.properties.emplace_back("security.protocol", security);
    if (sasl) {
        options.properties.emplace_back("sasl.mechanism", settings.string("sasl_mechanism"));
        options.properties.emplace_back("sasl.username", settings.string("user"));
        options.properties.emplace_back("sasl.password", settings.string("password"));
    }
    constexpr std::pair<const char*, const char*> kFiles[] = {{"tls.ca", "ssl.ca.location"},
                                                              {"tls.certificate", "ssl.certificate.location"},
                                                              {"tls.key", "ssl.key.location"}};
    for (const auto& [setting, property] : kFiles)
        if (const std::string& path = settings.string(setting); !path.empty())
            options.properties.emplace_back(property, path);
    return ok();
}

// The pairs of `librdkafka`, behind ours; what it does not take is told by its words.
Status add_properties(const config::Settings& settings, KafkaOptions& options) {
    for (const std::string& pair : settings.strings("librdkafka")) {
        const auto equals = pair.find('=');
        if (equals == std::string::npos || equals == 0)
            return setting_error(settings, "librdkafka", fmt::format("\"{}\" is not \"name=value\"", pair));
        options.properties.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
    }
    const auto bad = KafkaTransport::check(options.properties);
    if (bad.empty()) return ok();
    const std::string& name = options.properties[bad.front().index].first;
    const std::string_view key = name == "compression.type"    ? "compression"
                                 : name == "security.protocol" ? "security"
                                 : name == "sasl.mechanism"    ? "sasl_mechanism"
                                 : name == "client.id"         ? "client_id"
                                                               : "librdkafka";
    return setting_error(settings, key, fmt::format("{}: {}", name, bad.front().message));
}

Result<std::unique_ptr<Exporter>> make_kafka(const ExporterContext& context) {
    const config::Settings& settings = context.settings;
    KafkaOptions options;
    auto brokers = brokers_of(settings);
    if (!brokers) return brokers.error();
    options.brokers = std::move(brokers.value());
    options.topic = settings.string("topic");
    if (!is_topic(options.topic))
        return setting_error(settings, "topic", "must be 1 to 249 letters, digits, dots, dashes or underscores");
    options.message_size = static_cast<std::size_t>(settings.integer("max_message_size"));
    options.in_flight = static_cast<std::size_t>(settings.integer("in_flight_messages"));
    options.in_flight_octets = static_cast<std::size_t>(settings.integer("in_flight_size"));
    if (options.in_flight_octets < options.message_size)
        return setting_error(settings, "in_flight_size", "must not be less than max_message_size");
    options.delivery_timeout = settings.duration("delivery_timeout");
    options.properties = {{"client.id", settings.string("client_id")},
                          {"compression.type", settings.string("compression")}};
    if (Status status = add_security(settings, options); !status) return status.error();
    if (Status status = add_properties(settings, options); !status) return status.error();
    auto packers = make_packers(context, options.message_size);
    if (!packers) return packers.error();
    const bool keyed = settings.string("key") == "flow";
    const MessageKey key = !keyed                                         ? MessageKey::kNone
                           : settings.integer("records_per_message") == 1 ? MessageKey::kFlow
                                                                          : MessageKey::kGroup;
    return std::unique_ptr<Exporter>(std::make_unique<PublishingExporter>(
        packers.value(), key, std::make_unique<KafkaTransport>(std::move(options), context.name, context.logger)));
}

}  // namespace

constinit const ExporterType kKafkaExporterType{
    .name = "kafka",
    .summary = "JSON, CSV or IPFIX messages to a topic of Kafka",
    .settings = kSettings,
    .exclusive = false,
    .make = &make_kafka,
};

}  // namespace nfstreamd::exporters
