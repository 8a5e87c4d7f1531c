// SPDX-License-Identifier: Apache-2.0
// The settings of exporter type ipfix, and how one is made of them.
#include <fmt/format.h>

#include <algorithm>

#include "exporters/ipfix/ipfix_exporter.hpp"
#include "exporters/ipfix/message_file.hpp"
#include "exporters/transport/transport_settings.hpp"

namespace nfstreamd::exporters {
namespace {

using config::Reload;
using config::SettingSpec;
using config::SettingType;

constexpr SettingSpec kOwnSettings[] = {
    {"collectors", SettingType::kStringList, "[]", false, Reload::kReopen,
     "The collector: udp://HOST:PORT, tcp://, sctp:// (4739 without a port), tls:// or dtls:// (4740); IPv6 in "
     "brackets. One per exporter: for a copy to another collector write another exporter."},
    {"path", SettingType::kString, "", false, Reload::kReopen,
     "An IPFIX file instead of a collector; - is standard output."},
    {"append", SettingType::kBool, "false", false, Reload::kReopen,
     "With path: go on in a file that exists instead of emptying it when the exporter starts."},
    {"template_refresh", SettingType::kDuration, "60s", false, Reload::kReopen,
     "How often templates are sent again over UDP and DTLS.", 1, 86400},
    {"biflow", SettingType::kBool, "true", false, Reload::kReopen,
     "Both directions of a flow in one record (RFC 5103); false: a record for each direction."},
    {"observation_domain", SettingType::kInteger, "0", false, Reload::kReopen,
     "Observation domain in the message header; 0: the daemon's.", 0, 4294967295.0},
    {"sampling_elements", SettingType::kChoice, "both", false, Reload::kReopen,
     "Elements of the options records that announce packet sampling: rfc5477, selectorId with algorithm, interval and "
     "space for each capture; legacy, samplingInterval (34) for the whole domain, if all captures have one rate; both; "
     "none.",
     0, 0, "rfc5477 legacy both none"},
};
constexpr auto kSettings = join_settings(kOwnSettings, kTransportSettings);

// Names the fields that IPFIX has no element for in this run, once.
void log_left_out(const ipfix::IpfixOptions& options, const ExporterContext& context) {
    std::string names;
    for (const InformationElement* field : options.fields) {
        const auto carried = [&](int ip_version) {
            return field->type != IeType::kSigned32List && field->side != IeSide::kBoth &&
                   ipfix_element(*field, ip_version, options.groups, options.private_enterprise_number).id != 0;
        };
        if (!carried(4) && !carried(6)) names += fmt::format("{}{}", names.empty() ? "" : " ", field->column);
    }
    if (!names.empty())
        context.logger.info("fields without an information element are left out",
                            {{"name", context.name}, {"fields", names}});
}

Error at(const config::Settings& settings, std::string_view key, std::string_view message) {
    return {ErrorCode::kInvalidArgument, fmt::format("{}: {}", key, message), settings.where(key)};
}

Result<std::unique_ptr<MessageTransport>> make_transport(const config::Settings& settings,
                                                         ipfix::IpfixOptions& options) {
    const auto& collectors = settings.strings("collectors");
    const std::string& path = settings.string("path");
    if (collectors.empty() == path.empty())
        return at(settings, collectors.empty() ? "collectors" : "path",
                  "an ipfix exporter needs either a collector or a path");
    if (!path.empty()) {
        options.max_message = ipfix::kFileMessage;
        options.send_octets = ipfix::kFileWrite;
        return std::unique_ptr<MessageTransport>(
            std::make_unique<ipfix::MessageFile>(path, settings.boolean("append")));
    }
    if (collectors.size() > 1)
        return at(settings, "collectors",
                  "an exporter has one collector; for a copy to each write one exporter per collector");
    const auto endpoint = parse_endpoint(collectors.front(), kIpfixPorts);
    if (!endpoint) return at(settings, "collectors", endpoint.error().message);
    const auto mtu = static_cast<std::size_t>(settings.integer("mtu"));
    if (const std::size_t limit = datagram_limit(endpoint.value().protocol, mtu); limit > 0)
        options.max_message = static_cast<std::uint16_t>(limit);
    return make_message_transport(endpoint.value(), settings);
}

Result<std::unique_ptr<Exporter>> make_ipfix(const ExporterContext& context) {
    const config::Settings& settings = context.settings;
    ipfix::IpfixOptions options;
    options.groups = context.groups;
    options.private_enterprise_number = context.private_enterprise_number;
    if (options.private_enterprise_number == kReversePen)
        return Error{ErrorCode::kInvalidArgument, "private_enterprise_number: 29305 is taken by RFC 5103",
                     settings.where("fields")};
    auto fields = select_fields(settings.strings("fields"),
                                ipfix_fields(context.groups, context.private_enterprise_number), context.groups);
    if (!fields) return at(settings, "fields", fields.error().message);
    options.fields = std::move(fields.value());
    options.biflow = settings.boolean("biflow");
    options.template_refresh = settings.duration("template_refresh");
    options.sampling_elements = ipfix::sampling_elements(settings.string("sampling_elements"))
                                    .value_or(ipfix::SamplingElements::kBoth);  // the table has checked it
    options.selectors = context.selectors;
    const auto domain = static_cast<std::uint32_t>(settings.integer("observation_domain"));
    options.observation_domain = domain != 0 ? domain : context.observation_domain;

    auto transport = make_transport(settings, options);
    if (!transport) return transport.error();
    auto made = ipfix::IpfixExporter::make(options, context.name, std::move(transport.value()), context.logger);
    if (!made) {
        Error error = made.error();
        error.where = settings.where("fields");
        return error;
    }
    log_left_out(options, context);
    return std::unique_ptr<Exporter>(std::move(made.value()));
}

}  // namespace

constinit const ExporterType kIpfixExporterType{
    .name = "ipfix",
    .summary = "IPFIX (RFC 7011) to a collector over UDP, TCP, TLS, DTLS or SCTP, or to a file",
    .settings = kSettings,
    .exclusive = false,  // a session of its own port each time; a path is exclusive anyway
    .make = &make_ipfix,
};

}  // namespace nfstreamd::exporters
