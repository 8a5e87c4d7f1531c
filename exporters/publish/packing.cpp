// SPDX-License-Identifier: Apache-2.0
#include "exporters/publish/packing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "exporters/encode/line_packer.hpp"
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/ipfix/ipfix_packer.hpp"
#endif

namespace nfstreamd::exporters {
namespace {

std::size_t records_of(const config::Settings& settings) {
    return static_cast<std::size_t>(settings.integer("records_per_message"));
}

// Settings that have no effect are misunderstandings.
Status check_used(const config::Settings& settings, std::string_view format) {
    constexpr std::pair<std::string_view, std::string_view> kOfOneFormat[] = {
        {"json_array", "json"}, {"csv_header", "csv"}, {"biflow", "ipfix"}, {"observation_domain", "ipfix"}};
    for (const auto& [name, owner] : kOfOneFormat)
        if (settings.given(name) && format != owner)
            return setting_error(settings, name, fmt::format("goes with format {} only", owner));
    if (format != "ipfix") return ok();
    for (const std::string_view name : {"schema", "columns_to_anonymize", "anonymization_key"})
        if (settings.given(name)) return setting_error(settings, name, "does not go with format ipfix");
    return ok();
}

Result<PublishingExporter::MakePacker> line_packers(const ExporterContext& context, std::string_view format,
                                                    std::size_t most) {
    auto made = make_text_encoder(context, format);
    if (!made) return made.error();
    const LineLayout layout{.array = context.settings.boolean("json_array"),
                            .header = context.settings.boolean("csv_header")};
    const PackLimits limits{.records = records_of(context.settings), .target = most, .most = most};
    std::shared_ptr<const Encoder> encoder = std::move(made.value());
    return PublishingExporter::MakePacker(
        [encoder, layout, limits] { return std::make_unique<LinePacker>(encoder, layout, limits); });
}

#ifdef NFSTREAMD_WITH_IPFIX
Result<PublishingExporter::MakePacker> ipfix_packers(const ExporterContext& context, std::size_t most) {
    const config::Settings& settings = context.settings;
    ipfix::IpfixOptions options;
    options.groups = context.groups;
    options.private_enterprise_number = context.private_enterprise_number;
    auto fields = select_fields(settings.strings("fields"), ipfix_fields(context.groups, kOurPen), context.groups);
    if (!fields) return setting_error(settings, "fields", fields.error().message);
    options.fields = std::move(fields.value());
    options.biflow = settings.boolean("biflow");
    const auto domain = static_cast<std::uint32_t>(settings.integer("observation_domain"));
    options.observation_domain = domain != 0 ? domain : context.observation_domain;
    options.max_message = static_cast<std::uint16_t>(std::min<std::size_t>(most, ipfix::kFileMessage));
    options.options.kinds = {OptionsKind::kTypes, OptionsKind::kSampling};
    options.selectors = context.selectors;
    options.facts = context.facts;
    options.exporting_process = context.exporting_process;
    options.anonymization = context.anonymization;
    auto format = ipfix::PackedFormat::make(std::move(options), context.name, context.logger);
    if (!format) return setting_error(settings, "fields", format.error().message);
    return PublishingExporter::MakePacker([shared = std::move(format.value()), records = records_of(settings)] {
        return std::make_unique<ipfix::IpfixPacker>(shared, records);
    });
}
#endif

}  // namespace

Result<PublishingExporter::MakePacker> make_packers(const ExporterContext& context, std::size_t most) {
    const std::string& format = context.settings.string("format");
    if (Status status = check_used(context.settings, format); !status) return status.error();
#ifdef NFSTREAMD_WITH_IPFIX
    if (format == "ipfix") return ipfix_packers(context, most);
#endif
    return line_packers(context, format, most);
}

}  // namespace nfstreamd::exporters
