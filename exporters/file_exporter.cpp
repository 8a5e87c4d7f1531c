// SPDX-License-Identifier: Apache-2.0
#include "exporters/file_exporter.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/record/schemas.hpp"
#include "exporters/encode/anonymizer.hpp"
#include "exporters/encode/csv_encoder.hpp"
#include "exporters/encode/json_encoder.hpp"
#include "exporters/message_exporter.hpp"
#include "exporters/transport/compressor.hpp"
#include "exporters/transport/file_transport.hpp"
#include "exporters/transport/rotating_transport.hpp"

namespace nfstreamd::exporters {
namespace {

using config::SettingSpec;
using config::SettingType;

constexpr double kMostFiles = 1e9, kMostFlows = 1e12, kMostOctets = 1e14;

constexpr std::array kSettings{
    SettingSpec{.name = "path",
                .type = SettingType::kString,
                .default_value = "",
                .required = true,
                .description = "File to write, made if missing; \"-\" is standard output; .gz or .zst behind the "
                               "suffix compresses it."},
    SettingSpec{.name = "schema",
                .type = SettingType::kChoice,
                .default_value = "nfstream6",
                .description = "Generation of nfstream whose columns it has; the default is metering.compatibility.",
                .choices = kGenerationChoices},
    SettingSpec{.name = "append",
                .type = SettingType::kBool,
                .default_value = "false",
                .description = "Go on in a file that exists instead of emptying it when the exporter starts; a "
                               "compressed one gets a time stamp as with `rotate`, and a new one begins."},
    SettingSpec{.name = "flows_per_file",
                .type = SettingType::kInteger,
                .default_value = "0",
                .description = "Flows of a file, after which it is renamed from out.csv to out.0.csv, out.1.csv and "
                               "so on, as nfstream names them, or as with `rotate` if that is given; 0: any number.",
                .min = 0,
                .max = kMostFlows},
    SettingSpec{.name = "rotate_files",
                .type = SettingType::kInteger,
                .default_value = "0",
                .description = "With flows_per_file: after so many files the first one is replaced, and so on; "
                               "0: never.",
                .min = 0,
                .max = kMostFiles},
    SettingSpec{.name = "rotate.every",
                .type = SettingType::kDuration,
                .default_value = "0s",
                .description = "At multiples of this time, in UTC, the file is renamed to NAME-20260102T030405Z.csv, "
                               "unless it has no flows; 0: never.",
                .min = 0,
                .max = 31'622'400},
    SettingSpec{.name = "rotate.size",
                .type = SettingType::kSize,
                .default_value = "0",
                .description = "A file that would become larger is renamed likewise; 0: any size.",
                .min = 0,
                .max = kMostOctets},
    SettingSpec{.name = "rotate.keep",
                .type = SettingType::kInteger,
                .default_value = "0",
                .description = "Files with a time stamp that are kept, the oldest are removed; 0: all.",
                .min = 0,
                .max = kMostFiles},
    SettingSpec{.name = "columns_to_anonymize",
                .type = SettingType::kStringList,
                .default_value = "[]",
                .description = "Columns whose values are replaced by keyed BLAKE2b hashes, as nfstream does it."},
    SettingSpec{.name = "anonymization_key",
                .type = SettingType::kSecret,
                .default_value = "",
                .description = "Key of these hashes, 128 hexadecimal digits or any text of 16 characters or more, for "
                               "pseudonyms that stay the same; unless set, a random one for each run."},
};

Error at(const config::Settings& settings, std::string_view name, std::string_view message) {
    return {ErrorCode::kInvalidArgument, fmt::format("{}: {}", name, message), settings.where(name)};
}

std::uint64_t unsigned_of(const config::Settings& settings, std::string_view name) {
    return static_cast<std::uint64_t>(settings.integer(name));
}

// Settings that have no effect are misunderstandings.
Status check_rotation(const config::Settings& settings) {
    const bool stamped = settings.duration("rotate.every").count() > 0 || settings.integer("rotate.size") > 0;
    const bool by_flows = settings.integer("flows_per_file") > 0;
    if (settings.integer("rotate_files") > 0 && (!by_flows || stamped))
        return at(settings, "rotate_files",
                  by_flows ? "does not go with rotate, which has keep" : "needs flows_per_file");
    if (settings.integer("rotate.keep") > 0 && !stamped)
        return at(settings, "rotate.keep", "needs rotate.every or rotate.size");
    const auto every = settings.duration("rotate.every");
    if (every.count() > 0 && every < std::chrono::seconds(1)) return at(settings, "rotate.every", "must be 1s or more");
    if (settings.string("path") == "-" && (stamped || by_flows))
        return at(settings, "path", "standard output cannot be rotated");
    return ok();
}

Result<std::unique_ptr<Transport>> make_transport(const ExporterContext& context, std::string_view type) {
    const config::Settings& settings = context.settings;
    const std::string& path = settings.string("path");
    if (path.empty() || path.back() == '/')
        return at(settings, "path", path.empty() ? "must not be empty" : "must name a file, not a folder");
    if (auto status = check_rotation(settings); !status) return status.error();
    const RotationLimits limits{.messages = unsigned_of(settings, "flows_per_file"),
                                .size = unsigned_of(settings, "rotate.size"),
                                .every = settings.duration("rotate.every")};
    const bool append = settings.boolean("append"), by_flows_alone = limits.size == 0 && limits.every.count() == 0;
    const bool compressed = !compression_suffix(path).empty();
    struct stat present {};  // a pipe has no pieces
    const bool is_pipe = ::stat(path.c_str(), &present) == 0 && !S_ISREG(present.st_mode);
    if (by_flows_alone && limits.messages == 0 && (is_pipe || !(append && compressed)))
        return std::unique_ptr<Transport>(std::make_unique<FileTransport>(path, append, make_compressor(path)));
    auto pieces = by_flows_alone && limits.messages > 0
                      ? Pieces::indexed(path, std::string(type), unsigned_of(settings, "rotate_files"))
                      : Pieces::stamped(path, unsigned_of(settings, "rotate.keep"));
    return std::unique_ptr<Transport>(
        std::make_unique<RotatingTransport>(path, append, limits, std::move(pieces), context.logger));
}

// A name that is no column would leave in clear what was to be hidden; one that
// is not among the fields has nothing to hide.
Result<std::unique_ptr<const Anonymizer>> make_anonymizer(const config::Settings& settings,
                                                          const FieldSelection& fields) {
    const auto& columns = settings.strings("columns_to_anonymize");
    const std::string& secret = settings.string("anonymization_key");
    if (columns.empty()) {
        if (!secret.empty()) return at(settings, "anonymization_key", "needs columns_to_anonymize");
        return std::unique_ptr<const Anonymizer>();
    }
    for (const std::string& column : columns) {
        const bool sent = std::any_of(fields.begin(), fields.end(), [&](const auto* f) { return f->column == column; });
        if (!sent && !find_field(column))
            return at(settings, "columns_to_anonymize", fmt::format("there is no column \"{}\"", column));
    }
    const auto key = Anonymizer::make_key(secret);
    if (!key) return at(settings, "anonymization_key", key.error().message);
    auto made = Anonymizer::make(columns, key.value());
    if (!made) return at(settings, "columns_to_anonymize", made.error().message);
    return std::unique_ptr<const Anonymizer>(std::move(made.value()));
}

template <class FormatEncoder>
Result<std::unique_ptr<Exporter>> make(const ExporterContext& context, std::string_view type) {
    const config::Settings& settings = context.settings;
    const Generation schema = find_generation(settings.string("schema")).value_or(Generation::kNfstream6);
    if (schema == Generation::kNfstream3 && !context.groups.nfstream3)
        return at(settings, "schema", "nfstream3 needs flows that are numbered from their creation on, so a restart");
    auto fields = select_fields(settings.strings("fields"), schema_fields(schema, context.groups), context.groups);
    if (!fields) return at(settings, "fields", fields.error().message);
    auto anonymizer = make_anonymizer(settings, fields.value());
    if (!anonymizer) return anonymizer.error();
    auto transport = make_transport(context, type);
    if (!transport) return transport.error();
    return std::unique_ptr<Exporter>(std::make_unique<MessageExporter>(
        std::make_unique<FormatEncoder>(std::move(fields.value()), std::move(anonymizer.value())),
        std::move(transport.value())));
}

Result<std::unique_ptr<Exporter>> make_csv(const ExporterContext& context) {
    return make<CsvEncoder>(context, "csv");
}

Result<std::unique_ptr<Exporter>> make_json(const ExporterContext& context) {
    return make<JsonEncoder>(context, "json");
}

}  // namespace

const ExporterType kCsvExporterType{.name = "csv",
                                    .summary = "CSV file (RFC 4180) with nfstream's columns",
                                    .settings = kSettings,
                                    .exclusive = true,
                                    .make = make_csv,
                                    .network = false};
const ExporterType kJsonExporterType{.name = "json",
                                     .summary = "File of JSON lines with nfstream's columns as keys",
                                     .settings = kSettings,
                                     .exclusive = true,
                                     .make = make_json,
                                     .network = false};

}  // namespace nfstreamd::exporters
