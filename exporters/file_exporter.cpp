// SPDX-License-Identifier: Apache-2.0
#include "exporters/file_exporter.hpp"

#include <array>
#include <utility>

#include "core/record/schemas.hpp"
#include "exporters/encode/csv_encoder.hpp"
#include "exporters/encode/json_encoder.hpp"
#include "exporters/message_exporter.hpp"
#include "exporters/transport/file_transport.hpp"

namespace nfstreamd::exporters {
namespace {

using config::SettingSpec;
using config::SettingType;

constexpr std::array kSettings{
    SettingSpec{.name = "path",
                .type = SettingType::kString,
                .default_value = "",
                .required = true,
                .description = "File to write, made if missing; \"-\" is standard output."},
    SettingSpec{.name = "schema",
                .type = SettingType::kChoice,
                .default_value = "nfstream6",
                .description = "Generation of nfstream whose columns it has; the default is metering.compatibility.",
                .choices = kGenerationChoices},
    SettingSpec{.name = "append",
                .type = SettingType::kBool,
                .default_value = "false",
                .description = "Go on in a file that exists instead of emptying it when the exporter starts."},
};

template <class FormatEncoder>
Result<std::unique_ptr<Exporter>> make(const ExporterContext& context) {
    const config::Settings& settings = context.settings;
    const std::string& path = settings.string("path");
    if (path.empty()) return Error{ErrorCode::kInvalidArgument, "path: must not be empty", settings.where("path")};
    const Generation schema = find_generation(settings.string("schema")).value_or(Generation::kNfstream6);
    if (schema == Generation::kNfstream3 && !context.groups.nfstream3)
        return Error{ErrorCode::kInvalidArgument,
                     "schema: nfstream3 needs flows that are numbered from their creation on, so a restart",
                     settings.where("schema")};
    auto fields = select_fields(settings.strings("fields"), schema_fields(schema, context.groups), context.groups);
    if (!fields) return Error{fields.error().code, "fields: " + fields.error().message, settings.where("fields")};
    return std::unique_ptr<Exporter>(
        std::make_unique<MessageExporter>(std::make_unique<FormatEncoder>(std::move(fields.value())),
                                          std::make_unique<FileTransport>(path, settings.boolean("append"))));
}

}  // namespace

const ExporterType kCsvExporterType{"csv", "CSV file (RFC 4180) with nfstream's columns", kSettings, true,
                                    make<CsvEncoder>};
const ExporterType kJsonExporterType{"json", "File of JSON lines with nfstream's columns as keys", kSettings, true,
                                     make<JsonEncoder>};

}  // namespace nfstreamd::exporters
