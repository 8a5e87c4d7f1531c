// SPDX-License-Identifier: Apache-2.0
#include "exporters/file_exporter.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "exporters/message_exporter.hpp"
#include "exporters/text_format.hpp"
#include "exporters/transport/compressor.hpp"
#include "exporters/transport/file_transport.hpp"
#include "exporters/transport/rotating_transport.hpp"
#include "exporters/transport/transport_settings.hpp"

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
    kSchemaSetting,
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
    kPseudonymSettings[0],
    kPseudonymSettings[1],
};
constexpr auto kCsvSettings = joined_settings(kSettings, std::array{kFormulaSetting});

std::uint64_t unsigned_of(const config::Settings& settings, std::string_view name) {
    return static_cast<std::uint64_t>(settings.integer(name));
}

// Settings that have no effect are misunderstandings.
Status check_rotation(const config::Settings& settings) {
    const bool stamped = settings.duration("rotate.every").count() > 0 || settings.integer("rotate.size") > 0;
    const bool by_flows = settings.integer("flows_per_file") > 0;
    if (settings.integer("rotate_files") > 0 && (!by_flows || stamped))
        return setting_error(settings, "rotate_files",
                             by_flows ? "does not go with rotate, which has keep" : "needs flows_per_file");
    if (settings.integer("rotate.keep") > 0 && !stamped)
        return setting_error(settings, "rotate.keep", "needs rotate.every or rotate.size");
    const auto every = settings.duration("rotate.every");
    if (every.count() > 0 && every < std::chrono::seconds(1))
        return setting_error(settings, "rotate.every", "must be 1s or more");
    if (settings.string("path") == "-" && (stamped || by_flows))
        return setting_error(settings, "path", "standard output cannot be rotated");
    return ok();
}

Result<std::unique_ptr<Transport>> make_transport(const ExporterContext& context, std::string_view type) {
    const config::Settings& settings = context.settings;
    const std::string& path = settings.string("path");
    if (path.empty() || path.back() == '/')
        return setting_error(settings, "path", path.empty() ? "must not be empty" : "must name a file, not a folder");
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

Result<std::unique_ptr<Exporter>> make(const ExporterContext& context, std::string_view format,
                                       CsvEncoder::Formulas formulas = CsvEncoder::Formulas::kKeep) {
    auto encoder = make_text_encoder(context, format, formulas);
    if (!encoder) return encoder.error();
    auto transport = make_transport(context, format);
    if (!transport) return transport.error();
    return std::unique_ptr<Exporter>(
        std::make_unique<MessageExporter>(std::move(encoder.value()), std::move(transport.value())));
}

Result<std::unique_ptr<Exporter>> make_csv(const ExporterContext& context) {
    const bool escapes = context.settings.string("formulas") == "escape";
    return make(context, "csv", escapes ? CsvEncoder::Formulas::kEscape : CsvEncoder::Formulas::kKeep);
}

Result<std::unique_ptr<Exporter>> make_json(const ExporterContext& context) {
    return make(context, "json");
}

}  // namespace

const ExporterType kCsvExporterType{.name = "csv",
                                    .summary = "CSV file (RFC 4180) with nfstream's columns",
                                    .settings = kCsvSettings,
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
