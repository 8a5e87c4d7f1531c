// SPDX-License-Identifier: Apache-2.0
// The JSON Schema that editors and validators read (draft 7, which all of them
// know). YAML is read by its version 1.2; what is too large once its unit is
// counted, or what `!file` brings, only nfstreamd itself can tell.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "config/generations.hpp"
#include "config/load.hpp"
#include "config/table_text.hpp"
#include "config/tables.hpp"
#include "config/value.hpp"
#include "core/base/json_text.hpp"

namespace nfstreamd::config {
namespace {

constexpr std::string_view kVariable = R"({"$ref": "#/definitions/variable"})";
constexpr std::string_view kTruth = R"({"type": "boolean"}, {"$ref": "#/definitions/bool"})";
constexpr std::string_view kNothing = R"({"type": "null"})";
constexpr std::string_view kAnyScalar = R"("type": ["string", "number", "boolean"])";

std::string json_text(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator = ", ") {
    std::string out;
    for (const std::string& part : parts) out += (out.empty() ? "" : std::string(separator)) + part;
    return out;
}

bool is_truth(std::string_view word) {
    return word == "true" || word == "false";
}

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// Words as YAML reads them: 5 without quotes is a number.
std::string words(const SettingSpec& spec) {
    std::vector<std::string> out;
    for (const std::string_view word : choices_of(spec)) {
        if (spec.type == SettingType::kStringList && is_truth(word)) continue;
        out.push_back(json_text(word));
        if (is_truth(word) || is_digits(word)) out.emplace_back(word);
    }
    const bool may_be_empty = spec.type == SettingType::kChoice && spec.default_value.empty() && !spec.required;
    if (may_be_empty) out.push_back(R"("")");
    return fmt::format(R"({{"enum": [{}]}})", joined(out));
}

std::string bounded(const SettingSpec& spec, std::string_view type) {
    const bool whole = type == "integer";
    const bool never_negative = spec.type == SettingType::kSize || spec.type == SettingType::kDuration;
    double least = spec.min, most = spec.max;
    if (spec.min == spec.max) {
        least = never_negative ? 0 : -std::numeric_limits<double>::infinity();
        most = std::numeric_limits<double>::infinity();
    }
    if (spec.negative_is_zero) least = -std::numeric_limits<double>::infinity();
    std::string out = fmt::format(R"({{"type": "{}")", type);
    if (std::isfinite(least)) out += fmt::format(R"(, "minimum": {:.15g})", whole ? std::ceil(least) : least);
    if (std::isfinite(most)) out += fmt::format(R"(, "maximum": {:.15g})", whole ? std::floor(most) : most);
    return out + "}";
}

std::vector<std::string> list_forms(const SettingSpec& spec) {
    const std::string_view least = spec.required ? R"(, "minItems": 1)" : "";
    const std::string_view least_length = spec.required ? R"(, "minLength": 1)" : "";
    if (spec.choices.empty())
        return {fmt::format("{{{}{}}}", kAnyScalar, least_length),
                fmt::format(R"({{"type": "array", "items": {{{}, "minLength": 1}}{}}})", kAnyScalar, least)};
    const std::string one = fmt::format(R"({{"anyOf": [{}, {}]}})", words(spec), kVariable);
    std::vector<std::string> out = {words(spec), fmt::format(R"({{"type": "array", "items": {}{}}})", one, least)};
    for (const std::string_view word : choices_of(spec)) {
        if (word != "true") continue;
        out.emplace_back(kTruth);  // stands alone
        out.push_back(
            fmt::format(R"({{"type": "array", "items": {{"anyOf": [{}]}}, "minItems": 1, "maxItems": 1}})", kTruth));
    }
    if (!spec.required) out.emplace_back(R"({"const": ""})");
    return out;
}

// What is accepted, each in a schema of its own.
std::vector<std::string> forms(const SettingSpec& spec) {
    const std::string with_unit = fmt::format(R"({{"$ref": "#/definitions/{}"}})", type_text(spec.type));
    std::vector<std::string> out;
    switch (spec.type) {
        case SettingType::kBool:
            out = {std::string(kTruth)};
            break;
        case SettingType::kInteger:
        case SettingType::kSize:
        case SettingType::kDuration:
            out = {bounded(spec, "integer"), with_unit};
            break;
        case SettingType::kNumber:
            out = {bounded(spec, "number"), with_unit};
            break;
        case SettingType::kChoice:
            out = {words(spec)};
            break;
        case SettingType::kStringList:
            out = list_forms(spec);
            break;
        case SettingType::kTree:
            return {"{}"};
        case SettingType::kString:
        case SettingType::kSecret:
            out = {fmt::format("{{{}{}}}", kAnyScalar, spec.required ? R"(, "minLength": 1)" : "")};
            break;
    }
    const bool has_word = spec.type == SettingType::kInteger || spec.type == SettingType::kDuration;
    if (has_word && !spec.choices.empty()) out.push_back(words(spec));
    const bool any_text = spec.type == SettingType::kString || spec.type == SettingType::kSecret ||
                          (spec.type == SettingType::kStringList && spec.choices.empty());
    if (!any_text) out.emplace_back(kVariable);
    if (!spec.required) out.emplace_back(kNothing);  // a key with nothing after its colon
    return out;
}

std::string about(const SettingSpec& spec) {
    std::string out(spec.description);
    if (!spec.default_value.empty()) out += fmt::format(" Default: {}.", spec.default_value);
    return out + fmt::format(" Change: {}.", reload_text(spec.reload));
}

std::string setting_schema(const SettingSpec& spec) {
    return fmt::format(R"({{"description": {}, "anyOf": [{}]}})", json_text(about(spec)), joined(forms(spec)));
}

std::string indented(std::size_t depth) {
    return std::string(depth * 2, ' ');
}

// `"properties": {...}` and `"required": [...]` of the settings whose names begin
// with `prefix`; `others` are properties besides.
std::string members(std::span<const SettingSpec> table, std::string_view prefix, std::vector<std::string> others,
                    std::vector<std::string> required, std::size_t depth) {
    std::vector<std::string> properties = std::move(others);
    std::string last_map;
    for (const SettingSpec& spec : table) {
        if (!spec.name.starts_with(prefix)) continue;
        const std::string_view rest = spec.name.substr(prefix.size());
        const auto dot = rest.find('.');
        if (dot == rest.npos) {
            properties.push_back(fmt::format("{}: {}", json_text(rest), setting_schema(spec)));
            if (spec.required) required.push_back(json_text(rest));
            continue;
        }
        const std::string map(spec.name.substr(0, prefix.size() + dot + 1));
        if (map == last_map) continue;  // settings of one map stand together
        last_map = map;
        properties.push_back(fmt::format("{}: {{\n{}\"type\": [\"object\", \"null\"],\n{}\n{}}}",
                                         json_text(rest.substr(0, dot)), indented(depth + 2),
                                         members(table, map, {}, {}, depth + 2), indented(depth + 1)));
    }
    std::string out = fmt::format("{0}\"additionalProperties\": false,\n", indented(depth));
    if (!required.empty()) out += fmt::format("{}\"required\": [{}],\n", indented(depth), joined(required));
    return out + fmt::format("{0}\"properties\": {{\n{1}{2}\n{0}}}", indented(depth), indented(depth + 1),
                             joined(properties, ",\n" + indented(depth + 1)));
}

std::string given(std::string_view key) {
    return fmt::format(R"({{"required": ["{0}"], "properties": {{"{0}": {{"not": {1}}}}}}})", key, kNothing);
}

std::string name_of(std::string_view block, Generation generation) {
    return fmt::format("{}_{}", block, name(generation));
}

// The definitions of `capture` entries and of `metering` in each generation.
void append_generations(std::vector<std::string>& definitions) {
    for (std::size_t i = 0; i < kGenerations; ++i) {
        const auto generation = static_cast<Generation>(i);
        definitions.push_back(fmt::format("{}: {{\n      \"type\": \"object\",\n      \"oneOf\": [{}, {}],\n{}\n    }}",
                                          json_text(name_of("capture", generation)), given("interface"), given("pcap"),
                                          members(settings_of(capture_settings(), generation), "", {}, {}, 3)));
        definitions.push_back(fmt::format("{}: {{\n      \"type\": [\"object\", \"null\"],\n{}\n    }}",
                                          json_text(name_of("metering", generation)),
                                          members(settings_of(metering_settings(), generation), "", {}, {}, 3)));
    }
}

// `capture` and `metering` by what metering.compatibility says.
std::string by_generation() {
    const auto then = [](Generation generation) {
        return fmt::format(R"({{"properties": {{"capture": {{"items": {{"$ref": "#/definitions/{}"}}}}, )"
                           R"("metering": {{"$ref": "#/definitions/{}"}}}}}})",
                           name_of("capture", generation), name_of("metering", generation));
    };
    std::string out = then(Generation::kNfstream6);
    for (const auto generation : {Generation::kNfstream3, Generation::kNfstream0})
        out =
            fmt::format(R"({{"if": {{"required": ["metering"], "properties": {{"metering": {{"type": "object", )"
                        R"("required": ["compatibility"], "properties": {{"compatibility": {{"const": "{}"}}}}}}}}}},)"
                        "\n     \"then\": {},\n     \"else\": {}}}",
                        name(generation), then(generation), out);
    return out;
}

void append_exporters(std::vector<std::string>& definitions, std::span<const ExporterSchema> schemas) {
    std::vector<std::string> types, branches;
    for (const ExporterSchema& schema : schemas) {
        types.push_back(json_text(schema.type));
        branches.push_back(
            fmt::format(R"({{"if": {{"required": ["type"], "properties": {{"type": {{"const": "{0}"}}}}}}, )"
                        R"("then": {{"$ref": "#/definitions/exporter_{0}"}}}})",
                        schema.type));
    }
    const std::string separator = ",\n        ";
    definitions.push_back(fmt::format(
        "\"exporter\": {{\n"
        "      \"type\": \"object\",\n"
        "      \"required\": [\"type\"],\n"
        "      \"properties\": {{\n"
        "        \"name\": {{\"description\": \"Name in the status, the log and --set; the type unless set.\", "
        "\"anyOf\": [{{\"type\": \"string\", \"pattern\": \"^[A-Za-z0-9_-]{{1,64}}$\"}}, {{\"type\": \"integer\", "
        "\"minimum\": 0}}, {0}, {1}]}},\n"
        "        \"type\": {{\"description\": \"What kind of exporter it is.\", \"anyOf\": [{{\"enum\": [{2}]}}, "
        "{0}]}}\n"
        "      }},\n"
        "      \"allOf\": [\n        {3}\n      ]\n    }}",
        kVariable, kNothing, joined(types), joined(branches, separator)));
    for (const ExporterSchema& schema : schemas)
        definitions.push_back(fmt::format("\"exporter_{}\": {{\n      \"description\": {},\n{}\n    }}", schema.type,
                                          json_text(schema.summary),
                                          members(settings_of(schema.settings, Generation::kNfstream6), "",
                                                  {R"("name": true)", R"("type": true)"}, {}, 3)));
}

std::string top_properties() {
    std::vector<std::string> blocks_text;
    for (const Block& block : blocks()) {
        std::string out = fmt::format("{}: {{\"description\": {}", json_text(block.key), json_text(block.summary));
        if (block.is_list) {
            const std::string items = block.key == "exporters" ? R"(, "items": {"$ref": "#/definitions/exporter"})"
                                      : block.key == "plugins" || block.key == "models"
                                          ? fmt::format(", \"items\": {{\n      \"type\": \"object\",\n{}\n    }}",
                                                        members(settings_of_block(block.key), "", {}, {}, 3))
                                          : "";
            out += fmt::format(R"(, "type": ["array", "null"]{}}})", items);
        } else if (block.key == "metering") {
            out += "}";
        } else {
            out += fmt::format(", \"type\": [\"object\", \"null\"],\n{}\n    }}",
                               members(settings_of_block(block.key), "", {}, {}, 3));
        }
        blocks_text.push_back(std::move(out));
    }
    return members(top_settings(), "", std::move(blocks_text), {}, 1);
}

}  // namespace

std::string json_schema(std::span<const ExporterSchema> exporter_schemas) {
    std::vector<std::string> definitions;
    const auto pattern = [&](std::string_view key, std::string_view expression) {
        definitions.push_back(
            fmt::format(R"({}: {{"type": "string", "pattern": {}}})", json_text(key), json_text(expression)));
    };
    // $${ are the characters ${
    pattern("variable", "(^|[^$])[$][{][A-Za-z_][A-Za-z0-9_]*[}]");
    pattern("bool", "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Yy][Ee][Ss]|[Nn][Oo]|[Oo][Nn]|[Oo][Ff][Ff])$");
    for (const auto type : {SettingType::kInteger, SettingType::kNumber, SettingType::kDuration, SettingType::kSize})
        pattern(type_text(type), text_pattern(type));
    append_generations(definitions);
    append_exporters(definitions, exporter_schemas);
    return fmt::format(
        "{{\n"
        "  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n"
        "  \"$comment\": \"Printed from the tables in the code; a test compares.\",\n"
        "  \"title\": \"Configuration of nfstreamd\",\n"
        "  \"type\": [\"object\", \"null\"],\n"
        "{},\n"
        "  \"allOf\": [\n    {}\n  ],\n"
        "  \"definitions\": {{\n    {}\n  }}\n"
        "}}\n",
        top_properties(), by_generation(), joined(definitions, ",\n    "));
}

}  // namespace nfstreamd::config
