// SPDX-License-Identifier: Apache-2.0
#include "exporters/text_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "exporters/encode/json_encoder.hpp"

namespace nfstreamd::exporters {
namespace {

// A name that is no column would leave in clear what was to be hidden; one that
// is not among the fields has nothing to hide.
Result<std::unique_ptr<const Anonymizer>> make_anonymizer(const config::Settings& settings,
                                                          const FieldSelection& fields, const FieldGroups& groups) {
    const auto& columns = settings.strings("columns_to_anonymize");
    const std::string& secret = settings.string("anonymization_key");
    if (columns.empty()) {
        if (!secret.empty()) return setting_error(settings, "anonymization_key", "needs columns_to_anonymize");
        return std::unique_ptr<const Anonymizer>();
    }
    for (const std::string& column : columns) {
        const bool sent = std::any_of(fields.begin(), fields.end(), [&](const auto* f) { return f->column == column; });
        if (!sent && !find_field(column, groups))
            return setting_error(settings, "columns_to_anonymize", fmt::format("there is no column \"{}\"", column));
    }
    const auto key = Anonymizer::make_key(secret);
    if (!key) return setting_error(settings, "anonymization_key", key.error().message);
    auto made = Anonymizer::make(columns, key.value());
    if (!made) return setting_error(settings, "columns_to_anonymize", made.error().message);
    return std::unique_ptr<const Anonymizer>(std::move(made.value()));
}

}  // namespace

Result<TextFields> text_fields(const ExporterContext& context) {
    const config::Settings& settings = context.settings;
    const Generation schema = find_generation(settings.string("schema")).value_or(Generation::kNfstream6);
    if (schema == Generation::kNfstream3 && !context.groups.nfstream3)
        return setting_error(settings, "schema",
                             "nfstream3 needs flows that are numbered from their creation on, so a restart");
    auto fields = select_fields(settings.strings("fields"), schema_fields(schema, context.groups), context.groups);
    if (!fields) return setting_error(settings, "fields", fields.error().message);
    auto anonymizer = make_anonymizer(settings, fields.value(), context.groups);
    if (!anonymizer) return anonymizer.error();
    return TextFields{std::move(fields.value()), std::move(anonymizer.value())};
}

Result<std::unique_ptr<Encoder>> make_text_encoder(const ExporterContext& context, std::string_view format,
                                                   CsvEncoder::Formulas formulas) {
    auto text = text_fields(context);
    if (!text) return text.error();
    TextFields& parts = text.value();
    if (format == "csv")
        return std::unique_ptr<Encoder>(
            std::make_unique<CsvEncoder>(std::move(parts.fields), std::move(parts.anonymizer), formulas));
    return std::unique_ptr<Encoder>(
        std::make_unique<JsonEncoder>(std::move(parts.fields), std::move(parts.anonymizer)));
}

}  // namespace nfstreamd::exporters
