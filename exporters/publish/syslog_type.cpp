// SPDX-License-Identifier: Apache-2.0
// The settings of exporter type syslog, and how one is made of them.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "exporters/encode/syslog_packer.hpp"
#include "exporters/publish/packing.hpp"
#include "exporters/publish/receiver.hpp"
#include "exporters/publish/types.hpp"
#include "exporters/transport/session_publisher.hpp"

namespace nfstreamd::exporters {
namespace {

using config::SettingSpec;
using config::SettingType;

constexpr DefaultPorts kDefaultPorts{514, 6514};  // RFC 5426, 3.3; RFC 5425, 4.1
constexpr std::size_t kLongestMessage = 65'507;   // over UDP
constexpr std::size_t kLongestHostName = 255, kLongestAppName = 48;

constexpr auto kSettings = joined_settings(
    kReceiverSettings,
    std::array{format_setting("json structured",
                              "json: the record is MSG, an object of JSON; structured: it is STRUCTURED-DATA, a "
                              "parameter for each field that has a value, and needs private_enterprise_number."),
               SettingSpec{.name = "facility",
                           .type = SettingType::kChoice,
                           .default_value = "local0",
                           .description = "Facility of the messages (RFC 5424, 6.2.1).",
                           .choices = "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp security "
                                      "console clock local0 local1 local2 local3 local4 local5 local6 local7"},
               SettingSpec{.name = "severity",
                           .type = SettingType::kChoice,
                           .default_value = "info",
                           .description = "Severity of the messages.",
                           .choices = "emerg alert crit err warning notice info debug"},
               SettingSpec{.name = "app_name",
                           .type = SettingType::kString,
                           .default_value = "nfstreamd",
                           .description = "APP-NAME of the messages."},
               SettingSpec{.name = "host_name",
                           .type = SettingType::kString,
                           .default_value = "",
                           .description = "HOSTNAME of the messages; empty: the system's."},
               SettingSpec{.name = "max_message_size",
                           .type = SettingType::kSize,
                           .default_value = "8KiB",
                           .description = "Octets of a message, at most; a record that does not fit is counted in "
                                          "dropped_oversize. Receivers need not take more than 2048 octets.",
                           .min = 480,
                           .max = static_cast<double>(kLongestMessage)},
               kSchemaSetting},
    kPseudonymSettings);

// RFC 5424, 6.2.4: "-" where it is not known.
std::string own_host_name() {
    std::array<char, kLongestHostName + 1> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || !is_syslog_name(name.data(), kLongestHostName)) return "-";
    return name.data();
}

Result<SyslogHeader> make_header(const config::Settings& settings) {
    SyslogHeader header;
    header.facility = syslog_facility(settings.string("facility")).value_or(header.facility);  // checked by the table
    header.severity = syslog_severity(settings.string("severity")).value_or(header.severity);
    header.app_name = settings.string("app_name");
    if (!is_syslog_name(header.app_name, kLongestAppName))
        return setting_error(settings, "app_name", "must be 1 to 48 printable characters without spaces");
    header.host_name = settings.string("host_name");
    if (header.host_name.empty())
        header.host_name = own_host_name();
    else if (!is_syslog_name(header.host_name, kLongestHostName))
        return setting_error(settings, "host_name", "must be 1 to 255 printable characters without spaces");
    header.process_id = std::to_string(::getpid());
    return header;
}

Result<std::unique_ptr<Encoder>> make_encoder(const ExporterContext& context) {
    if (context.settings.string("format") == "json") return make_text_encoder(context, "json");
    if (context.private_enterprise_number == 0)
        return setting_error(context.settings, "format",
                             "structured needs private_enterprise_number, which names the element (RFC 5424, 6.3.2)");
    auto text = text_fields(context);
    if (!text) return text.error();
    return std::unique_ptr<Encoder>(
        std::make_unique<StructuredDataEncoder>(std::move(text.value().fields), std::move(text.value().anonymizer),
                                                fmt::format("flow@{}", context.private_enterprise_number)));
}

Result<std::unique_ptr<Exporter>> make_syslog(const ExporterContext& context) {
    const config::Settings& settings = context.settings;
    auto receiver = make_receiver(settings, kDefaultPorts);
    if (!receiver) return receiver.error();
    const auto header = make_header(settings);
    if (!header) return header.error();
    auto made = make_encoder(context);
    if (!made) return made.error();
    const std::shared_ptr<const Encoder> encoder = std::move(made.value());
    const bool structured = settings.string("format") == "structured";
    const auto most = std::min(static_cast<std::size_t>(settings.integer("max_message_size")), receiver.value().most);
    return std::unique_ptr<Exporter>(std::make_unique<PublishingExporter>(
        [header = header.value(), encoder, structured, most] {
            return std::make_unique<SyslogPacker>(header, encoder, structured, most);
        },
        MessageKey::kNone,
        std::make_unique<SessionPublisher>(std::move(receiver.value().transport), StreamFraming::kOctetCount, "",
                                           context.name, context.logger),
        has_spool(settings)));
}

}  // namespace

constinit const ExporterType kSyslogExporterType{
    .name = "syslog",
    .summary = "A syslog message (RFC 5424) for each flow, over UDP (RFC 5426), TCP (RFC 6587) or TLS (RFC 5425)",
    .settings = kSettings,
    .exclusive = false,
    .make = &make_syslog,
};

}  // namespace nfstreamd::exporters
