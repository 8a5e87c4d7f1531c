// SPDX-License-Identifier: Apache-2.0
// What exporter types that write text have in common: the settings of the columns
// and of their pseudonyms, and the encoder made of them. Free functions, any thread.
#pragma once
#include <array>
#include <memory>
#include <string_view>

#include "core/record/schemas.hpp"
#include "exporters/encode/anonymizer.hpp"
#include "exporters/encode/csv_encoder.hpp"
#include "exporters/encode/encoder.hpp"
#include "exporters/registry.hpp"
#include "exporters/session/collector_settings.hpp"  // setting_error()

namespace nfstreamd::exporters {

inline constexpr config::SettingSpec kSchemaSetting{
    .name = "schema",
    .type = config::SettingType::kChoice,
    .default_value = "nfstream6",
    .description = "Generation of nfstream whose columns it has; the default is metering.compatibility.",
    .choices = kGenerationChoices};

inline constexpr std::array kPseudonymSettings{
    config::SettingSpec{
        .name = "columns_to_anonymize",
        .type = config::SettingType::kStringList,
        .default_value = "[]",
        .description = "Columns whose values are replaced by keyed BLAKE2b hashes, as nfstream does it."},
    config::SettingSpec{.name = "anonymization_key",
                        .type = config::SettingType::kSecret,
                        .default_value = "",
                        .description =
                            "Key of these hashes, 128 hexadecimal digits or any text of 16 characters or more, for "
                            "pseudonyms that stay the same; unless set, a random one for each run."},
};

inline constexpr config::SettingSpec kFormulaSetting{
    .name = "formulas",
    .type = config::SettingType::kChoice,
    .default_value = "keep",
    .description =
        "Texts from the wire that a spreadsheet would take for formulas, as they begin with = + - or @: keep "
        "them as they are, as nfstream does, or escape them by an apostrophe in front.",
    .choices = "keep escape"};

struct TextFields {
    FieldSelection fields;
    std::unique_ptr<const Anonymizer> anonymizer;  // null: nothing is hidden
};
// By `fields`, `schema`, `columns_to_anonymize` and `anonymization_key`.
Result<TextFields> text_fields(const ExporterContext& context);

// `format`: "csv" or "json". Of CSV, `formulas` is what kFormulaSetting says, where there is such a setting.
Result<std::unique_ptr<Encoder>> make_text_encoder(const ExporterContext& context, std::string_view format,
                                                   CsvEncoder::Formulas formulas = CsvEncoder::Formulas::kKeep);

}  // namespace nfstreamd::exporters
