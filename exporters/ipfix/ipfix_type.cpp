// SPDX-License-Identifier: Apache-2.0
// The settings of exporter type ipfix, and how one is made of them.
#include <fmt/format.h>

#include <algorithm>

#include "exporters/ipfix/ipfix_exporter.hpp"
#include "exporters/ipfix/message_file.hpp"

namespace nfstreamd::exporters {
namespace {

using config::Reload;
using config::SettingSpec;
using config::SettingType;

constexpr std::uint16_t kDefaultPort = 4739;    // RFC 7011, 10.3.4
constexpr std::uint16_t kIpAndUdpHeaders = 48;  // IPv6's; IPv4 needs less

constexpr SettingSpec kSettings[] = {
    {"collectors", SettingType::kStringList, "[]", false, Reload::kReopen,
     "The collector, udp://HOST:PORT or tcp://HOST:PORT (4739 without a port, IPv6 in brackets). One per exporter: "
     "for a copy to another collector write another exporter."},
    {"path", SettingType::kString, "", false, Reload::kReopen,
     "An IPFIX file instead of a collector; - is standard output."},
    {"append", SettingType::kBool, "false", false, Reload::kReopen,
     "With path: go on in a file that exists instead of emptying it when the exporter starts."},
    {"template_refresh", SettingType::kDuration, "60s", false, Reload::kReopen,
     "How often templates are sent again over UDP.", 1, 86400},
    {"biflow", SettingType::kBool, "true", false, Reload::kReopen,
     "Both directions of a flow in one record (RFC 5103); false: a record for each direction."},
    {"observation_domain", SettingType::kInteger, "0", false, Reload::kReopen,
     "Observation domain in the message header; 0: the daemon's.", 0, 4294967295.0},
    {"sampling_elements", SettingType::kChoice, "both", false, Reload::kReopen,
     "Elements of the options records that announce packet sampling: rfc5477, selectorId with algorithm, interval and "
     "space for each capture; legacy, samplingInterval (34) for the whole domain, if all captures have one rate; both; "
     "none.",
     0, 0, "rfc5477 legacy both none"},
    {"mtu", SettingType::kInteger, "1420", false, Reload::kReopen,
     "Largest IP packet that a UDP message may make, in octets.", 512, 9000},
    {"source_address", SettingType::kString, "", false, Reload::kReopen,
     "Local address to send from; without it the system chooses."},
};

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

Error at(const config::Settings& settings, std::string_view key, std::string_view message) {
    return {ErrorCode::kInvalidArgument, fmt::format("{}: {}", key, message), settings.where(key)};
}

Result<std::unique_ptr<MessageTransport>> make_transport(const config::Settings& settings,
                                                         ipfix::IpfixOptions& options) {
    const auto& collectors = settings.strings("collectors");
    const std::string& path = settings.string("path");
    const std::string& source = settings.string("source_address");
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
    const auto endpoint = parse_endpoint(collectors.front(), kDefaultPort);
    if (!endpoint) return at(settings, "collectors", endpoint.error().message);
    if (!source.empty()) {
        boost::system::error_code error;
        boost::asio::ip::make_address(source, error);
        if (error) return at(settings, "source_address", fmt::format("\"{}\" is not an IP address", source));
    }
    if (endpoint.value().protocol == EndpointProtocol::kUdp)
        options.max_message = static_cast<std::uint16_t>(settings.integer("mtu") - kIpAndUdpHeaders);
    return make_message_transport(endpoint.value(), source);
}

Result<std::unique_ptr<Exporter>> make_ipfix(const ExporterContext& context) {
    const config::Settings& settings = context.settings;
    ipfix::IpfixOptions options;
    options.groups = context.groups;
    options.private_enterprise_number = context.private_enterprise_number;
    if (options.private_enterprise_number == kReversePen)
        return Error{ErrorCode::kInvalidArgument, "private_enterprise_number: 29305 is taken by RFC 5103",
                     settings.where("fields")};
    // with a number whatever it is, so that what lacks one can be named
    auto fields = select_fields(settings.strings("fields"), ipfix_fields(context.groups, kOurPen), context.groups);
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
    .summary = "IPFIX (RFC 7011) to a collector over UDP or TCP, or to a file",
    .settings = kSettings,
    .exclusive = false,  // a session of its own port each time; a path is exclusive anyway
    .make = &make_ipfix,
};

}  // namespace nfstreamd::exporters
