// SPDX-License-Identifier: Apache-2.0
#include "exporters/netflow/netflow_types.hpp"

#include <algorithm>
#include <utility>

#include "core/record/template.hpp"
#include "exporters/netflow/netflow5_format.hpp"
#include "exporters/netflow/netflow9_format.hpp"
#include "exporters/options/options_profile.hpp"
#include "exporters/session/collector_settings.hpp"

namespace nfstreamd::exporters {
namespace {

using config::Reload;
using config::SettingSpec;
using config::SettingType;

constexpr DefaultPorts kPorts{2055, 2055};  // what NetFlow collectors listen on
constexpr EndpointProtocol kProtocols[] = {EndpointProtocol::kUdp};

constexpr SettingSpec kOwn5[] = {
    {"engine_type", SettingType::kInteger, "0", false, Reload::kReopen, "Engine type in the header.", 0, 255},
    {"engine_id", SettingType::kInteger, "0", false, Reload::kReopen,
     "Engine id in the header, by which collectors tell several probes on one host apart.", 0, 255},
};
constexpr SettingSpec kOwn9[] = {
    {"template_refresh", SettingType::kDuration, "60s", false, Reload::kReopen, "How often templates are sent again.",
     1, 86400},
    {"template_refresh_packets", SettingType::kInteger, "0", false, Reload::kReopen,
     "They are sent again after so many packets, too, if template_refresh has not come first (RFC 3954, 9); 0: by time "
     "alone.",
     0, 4294967295.0},
    {"biflow", SettingType::kBool, "false", false, Reload::kReopen,
     "Octets and packets of the other direction in the same record, as OUT_BYTES and OUT_PKTS, which nfdump reads; "
     "false: a record for each direction."},
    kOptionsSetting,
    kOptionsIntervalSetting,
    {"source_id", SettingType::kInteger, "0", false, Reload::kReopen,
     "Source id in the header; 0: the daemon's observation domain.", 0, 4294967295.0},
};
constexpr auto kSettings5 = joined_settings(kCollectorSettings, kOwn5, kTransportSettings);
constexpr auto kSettings9 = joined_settings(kCollectorSettings, kOwn9, kTransportSettings);

// What collectors of version 9 know; everything else by `fields`, as records have a fixed length.
FieldSelection netflow9_fields(const FieldGroups& groups) {
    constexpr std::string_view kNames[] = {
        "application_id",  "l7_protocol", "application_name", "application_category_name",
        "tls_server_name", "http_host",   "dns_query"};
    FieldSelection out;
    for (const InformationElement* field : ipfix_fields(groups, 0)) {
        const bool wanted = field->group == IeGroup::kCore || field->group == IeGroup::kBase ||
                            std::find(std::begin(kNames), std::end(kNames), field->column) != std::end(kNames);
        if (wanted) out.push_back(field);
    }
    return out;
}

Result<Collectors> collectors_of(const ExporterContext& context) {
    if (context.settings.strings("collectors").empty())
        return setting_error(context.settings, "collectors", "there is none");
    return make_collectors(context.settings, kPorts, kProtocols);
}

Result<std::unique_ptr<Exporter>> finish(const ExporterContext& context, std::unique_ptr<MessageFormat> format,
                                         Collectors collectors, const CollectorOptions& options) {
    return std::unique_ptr<Exporter>(std::make_unique<CollectorExporter>(
        context.name, std::move(format), std::move(collectors.transports), options, context.logger));
}

// Two bits of mode, 14 of interval; 0 unless packets are sampled, as collectors multiply.
std::uint16_t sampling_word(const ExporterContext& context) {
    if (!context.selectors) return 0;
    constexpr std::uint32_t kMostInterval = 0x3fff;
    std::uint16_t word = 0;
    for (const PacketSelector& selector : context.selectors->all()) {
        const PacketSamplingOptions& sampling = selector.options.sampling;
        if (sampling.rate <= 1) continue;
        const std::uint16_t mode = sampling.method == SamplingMethod::kRandom ? 2 : 1;
        word = static_cast<std::uint16_t>(mode << 14 | std::min(sampling.rate, kMostInterval));
    }
    return word;
}

Result<std::unique_ptr<Exporter>> make_netflow5(const ExporterContext& context) {
    auto collectors = collectors_of(context);
    if (!collectors) return collectors.error();
    if (!context.settings.strings("fields").empty())
        return setting_error(context.settings, "fields", "the records of NetFlow 5 are fixed");
    netflow::Netflow5Options options;
    options.engine_type = static_cast<std::uint8_t>(context.settings.integer("engine_type"));
    options.engine_id = static_cast<std::uint8_t>(context.settings.integer("engine_id"));
    options.max_message = collectors.value().max_message;
    options.sampling = sampling_word(context);
    options.start_ms = netflow::host_start_ms();
    CollectorOptions session = collector_options(context.settings);
    return finish(context, std::make_unique<netflow::Netflow5Format>(options), std::move(collectors.value()), session);
}

Result<std::unique_ptr<Exporter>> make_netflow9(const ExporterContext& context) {
    auto collectors = collectors_of(context);
    if (!collectors) return collectors.error();
    auto fields = select_fields(context.settings.strings("fields"), netflow9_fields(context.groups), context.groups);
    if (!fields) return setting_error(context.settings, "fields", fields.error().message);
    netflow::Netflow9Options options;
    options.fields = std::move(fields.value());
    options.groups = context.groups;
    const auto source = static_cast<std::uint32_t>(context.settings.integer("source_id"));
    options.source_id = source != 0 ? source : context.observation_domain;
    options.biflow = context.settings.boolean("biflow");
    options.max_message = collectors.value().max_message;
    options.start_ms = netflow::host_start_ms();
    // of the types of elements version 9 knows nothing, and its records have no room for other application ids
    constexpr OptionsKinds kDefault{OptionsKind::kSampling, OptionsKind::kInterfaces, OptionsKind::kApplications};
    options.options.kinds = options_kinds(context.settings.strings("options"), kDefault);
    options.options.application_id = ApplicationIdForm::kUser4;
    options.options.sampling = SamplingElements::kLegacy;
    options.options.application_category = false;  // nfcapd reads one name in a FlowSet, and nothing beside it
    options.options.names_alone = true;
    if (!context.groups.application) options.options.kinds.remove(OptionsKind::kApplications);
    options.selectors = context.selectors;
    options.facts = context.facts;
    options.exporting_process = context.exporting_process;
    auto format = netflow::Netflow9Format::make(options);
    if (!format) return setting_error(context.settings, "fields", format.error().message);
    CollectorOptions session = collector_options(context.settings);
    session.session.template_refresh = context.settings.duration("template_refresh");
    session.session.template_refresh_messages =
        static_cast<std::uint64_t>(context.settings.integer("template_refresh_packets"));
    session.session.report_interval = context.settings.duration("options_interval");
    return finish(context, std::move(format.value()), std::move(collectors.value()), session);
}

}  // namespace

constinit const ExporterType kNetflow5ExporterType{
    .name = "netflow5",
    .summary = "NetFlow version 5 to collectors over UDP: IPv4, each direction a record",
    .settings = kSettings5,
    .exclusive = false,
    .make = &make_netflow5,
};
constinit const ExporterType kNetflow9ExporterType{
    .name = "netflow9",
    .summary = "NetFlow version 9 (RFC 3954) to collectors over UDP",
    .settings = kSettings9,
    .exclusive = false,
    .make = &make_netflow9,
};

}  // namespace nfstreamd::exporters
