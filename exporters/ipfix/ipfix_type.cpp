// SPDX-License-Identifier: Apache-2.0
// The settings of exporter type ipfix, and how one is made of them.
#include "exporters/ipfix/ipfix_type.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "exporters/ipfix/ipfix_format.hpp"
#include "exporters/ipfix/message_file.hpp"
#include "exporters/profile.hpp"
#include "exporters/session/collector_settings.hpp"

namespace nfstreamd::exporters {
namespace {

using config::Reload;
using config::SettingSpec;
using config::SettingType;

constexpr std::size_t kFileWrite = 256 * 1024;  // octets of one write(2)

constexpr SettingSpec kOwnSettings[] = {
    {"path", SettingType::kString, "", false, Reload::kReopen,
     "An IPFIX file instead of collectors; - is standard output."},
    {"append", SettingType::kBool, "false", false, Reload::kReopen,
     "With path: go on in a file that exists instead of emptying it when the exporter starts."},
    {"template_refresh", SettingType::kDuration, "60s", false, Reload::kReopen,
     "How often templates are sent again over UDP and DTLS.", 1, 86400},
    {"biflow", SettingType::kChoice, "", false, Reload::kReopen,
     "Both directions of a flow in one record (RFC 5103); false: a record for each direction. Unless set, the "
     "profile's.",
     0, 0, "true false"},
    {"observation_domain", SettingType::kInteger, "0", false, Reload::kReopen,
     "Observation domain in the message header; 0: the daemon's.", 0, 4294967295.0},
    kOptionsSetting,
    kOptionsIntervalSetting,
    {"application_id", SettingType::kChoice, "", false, Reload::kReopen,
     "Form of applicationId (95): pana_l7_pen, 8 octets with ntop's enterprise number (RFC 6759); user4 and user5, "
     "user-defined of 4 or 5 octets. Unless set, the profile's.",
     0, 0, kApplicationIdForms},
    {"options_text", SettingType::kInteger, "", false, Reload::kReopen,
     "Octets of a name in options, for collectors that read no strings of variable length; 0: as long as it is. Unless "
     "set, the profile's.",
     0, kLongestFixedText},
    {"sampling_elements", SettingType::kChoice, "", false, Reload::kReopen,
     "Elements of the options records that announce packet sampling: rfc5477, selectorId with algorithm, interval and "
     "space for each capture; legacy, samplingInterval (34) for the whole domain, if all captures have one rate; both; "
     "none. Unless set, the profile's.",
     0, 0, "rfc5477 legacy both none"},
    kProfileSetting,
    kRetryIntervalSetting,
};
constexpr auto kSettings = joined_settings(kCollectorSettings, kOwnSettings, kTransportSettings);

// Names the fields that IPFIX does not carry in this run, and what they want.
void log_left_out(const ipfix::IpfixOptions& options, const ExporterContext& context) {
    const auto log = [&context](std::string_view message, const FieldSelection& fields) {
        std::string names;
        for (const InformationElement* field : fields)
            names += fmt::format("{}{}", names.empty() ? "" : " ", field->column);
        if (!names.empty()) context.logger.info(message, {{"name", context.name}, {"fields", names}});
    };
    const auto [need_number, derived, no_element] =
        ipfix::left_out(options.fields, options.groups, options.private_enterprise_number);
    log("fields left out for want of private_enterprise_number", need_number);
    log("fields left out, as nfstreamctl collect computes them of others", derived);
    log("fields without an information element are left out", no_element);
}

// Read out of the packets: names, URLs, user agents, certificates, fingerprints.
bool is_text_of_payload(const InformationElement& field) {
    static const AnonymizationPlan texts([] {
        AnonymizationOptions options;
        options.texts = TextMethod::kDrop;
        return options;
    }());
    return field.group != IeGroup::kEnrichment && field.group != IeGroup::kSystem &&
           texts.of(field).technique != AnonymizationTechnique::kNone;
}

// RFC 7011, 11: what an exporter tells of payloads is for nobody on the way.
void warn_of_plain_text(const ipfix::IpfixOptions& options, const ExporterContext& context) {
    std::string fields, collectors;
    for (const InformationElement* field : options.fields)
        if (is_text_of_payload(*field) &&
            (!options.anonymization || options.anonymization->of(*field).technique == AnonymizationTechnique::kNone))
            fields += fmt::format("{}{}", fields.empty() ? "" : " ", field->column);
    for (const Endpoint& endpoint : unencrypted_collectors(context.settings, kIpfixPorts))
        collectors += fmt::format("{}{}", collectors.empty() ? "" : " ", endpoint.text());
    if (fields.empty() || collectors.empty()) return;
    context.logger.warning(
        "texts of the traffic are sent without encryption; use tls:// or dtls://, or set anonymize.texts",
        {{"name", context.name}, {"collectors", collectors}, {"fields", fields}});
}

// Where the messages go, and how long they may be there.
Result<Collectors> make_transports(const config::Settings& settings, ipfix::IpfixOptions& options) {
    const std::string& path = settings.string("path");
    if (settings.strings("collectors").empty() == path.empty())
        return setting_error(settings, path.empty() ? "collectors" : "path",
                             "an ipfix exporter needs either a collector or a path");
    if (path.empty()) {
        auto made = make_collectors(settings, kIpfixPorts);
        if (made && made.value().max_message > 0)
            options.max_message = static_cast<std::uint16_t>(made.value().max_message);
        return made;
    }
    options.max_message = ipfix::kFileMessage;
    Collectors file;
    file.transports.push_back(std::make_unique<ipfix::MessageFile>(path, settings.boolean("append")));
    return file;
}

Result<std::unique_ptr<Exporter>> make_ipfix(const ExporterContext& context) {
    const config::Settings& settings = context.settings;
    ipfix::IpfixOptions options;
    options.groups = context.groups;
    options.private_enterprise_number = context.private_enterprise_number;
    if (options.private_enterprise_number == kReversePen)
        return Error{ErrorCode::kInvalidArgument, "private_enterprise_number: 29305 is taken by RFC 5103",
                     settings.where("fields")};
    const Profile& profile = find_profile(settings.string("profile"));
    auto fields = select_fields(
        settings.strings("fields"),
        readable_fields(profile, ipfix_fields(context.groups, kOurPen), context.groups, kOurPen), context.groups);
    if (!fields) return setting_error(settings, "fields", fields.error().message);
    options.fields = std::move(fields.value());
    const std::string& biflow = settings.string("biflow");
    options.biflow = biflow.empty() ? profile.biflow : biflow == "true";
    options.options = options_profile(profile, settings, context.groups);
    options.selectors = context.selectors;
    options.facts = context.facts;
    options.exporting_process = context.exporting_process;
    options.anonymization = context.anonymization;
    const auto domain = static_cast<std::uint32_t>(settings.integer("observation_domain"));
    options.observation_domain = domain != 0 ? domain : context.observation_domain;

    auto transports = make_transports(settings, options);
    if (!transports) return transports.error();
    auto format = ipfix::IpfixFormat::make(options, context.name, context.logger);
    if (!format) {
        Error error = format.error();
        error.where = settings.where("fields");
        return error;
    }
    log_left_out(options, context);
    warn_of_plain_text(options, context);
    CollectorOptions collectors = collector_options(settings);
    if (has_stream(settings)) collectors.retry_min = settings.duration("retry_interval");
    collectors.session.template_refresh = settings.duration("template_refresh");
    collectors.session.report_interval = settings.duration("options_interval");
    if (!settings.string("path").empty()) collectors.session.send_octets = kFileWrite;
    return std::unique_ptr<Exporter>(std::make_unique<CollectorExporter>(
        context.name, std::move(format.value()), std::move(transports.value().transports), collectors, context.logger));
}

}  // namespace

constinit const ExporterType kIpfixExporterType{
    .name = "ipfix",
    .summary = "IPFIX (RFC 7011) to collectors over UDP, TCP, TLS, DTLS or SCTP, or to a file",
    .settings = kSettings,
    .exclusive = false,  // a session of its own port each time; a path is exclusive anyway
    .make = &make_ipfix,
};

}  // namespace nfstreamd::exporters
