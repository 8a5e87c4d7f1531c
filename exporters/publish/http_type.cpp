// SPDX-License-Identifier: Apache-2.0
// The settings of exporter type http, and how one is made of them.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "exporters/publish/access.hpp"
#include "exporters/publish/packing.hpp"
#include "exporters/publish/types.hpp"
#include "exporters/transport/http_transport.hpp"

namespace nfstreamd::exporters {
namespace {

using config::SettingSpec;
using config::SettingType;

constexpr std::array kOwnSettings{
    SettingSpec{.name = "url",
                .type = SettingType::kString,
                .default_value = "",
                .required = true,
                .description = "Where messages are posted to, http:// or https://, with its query; certificates are "
                               "always verified."},
    SettingSpec{.name = "headers",
                .type = SettingType::kStringList,
                .default_value = "[]",
                .description = "Further header lines, \"Name: value\"; Content-Type is set by the format unless it is "
                               "among them."},
    SettingSpec{.name = "token",
                .type = SettingType::kSecret,
                .default_value = "",
                .description = "Bearer token to show to the server, instead of a user."},
    SettingSpec{.name = "compression",
                .type = SettingType::kChoice,
                .default_value = "none",
                .description = "Encoding of the body.",
                .choices = "none gzip"},
    SettingSpec{.name = "timeout",
                .type = SettingType::kDuration,
                .default_value = "30s",
                .description = "A request without a complete answer for so long has failed, and is sent again.",
                .min = 0.1,
                .max = 45},
    size_setting("8MiB", 1e9),
};
constexpr auto kPacking = broker_packing("10000");
constexpr auto kSettings = joined_settings(kOwnSettings, kPacking, kPasswordSettings, kTlsSettings);

bool is_header(const std::string& line) {
    const auto colon = line.find(':');
    const auto in_name = [](char c) {
        return c > ' ' && c < 0x7f && std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
    };
    return colon != std::string::npos && colon > 0 &&
           std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon), in_name) &&
           std::none_of(line.begin(), line.end(), [](unsigned char c) { return c < ' ' && c != '\t'; });
}

bool names(const std::string& line, std::string_view name) {
    return line.size() > name.size() && line[name.size()] == ':' &&
           std::equal(name.begin(), name.end(), line.begin(),
                      [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

std::string_view content_type(const config::Settings& settings) {
    if (settings.string("format") == "csv") return "Content-Type: text/csv";
    if (settings.string("format") == "ipfix") return "Content-Type: application/octet-stream";
    return settings.boolean("json_array") || settings.integer("records_per_message") == 1
               ? "Content-Type: application/json"
               : "Content-Type: application/x-ndjson";
}

Status read_headers(const config::Settings& settings, HttpOptions& options) {
    options.headers = settings.strings("headers");
    bool has_type = false;
    for (const std::string& line : options.headers) {
        if (!is_header(line))
            return setting_error(settings, "headers", fmt::format("\"{}\" is not \"Name: value\"", line));
        if (names(line, "authorization"))
            return setting_error(settings, "headers", "Authorization would be shown; use token, or user and password");
        has_type = has_type || names(line, "content-type");
    }
    if (!has_type) options.headers.emplace_back(content_type(settings));
    return ok();
}

Result<std::unique_ptr<Exporter>> make_http(const ExporterContext& context) {
    const config::Settings& settings = context.settings;
    HttpOptions options;
    options.url = settings.string("url");
    if (const std::string wrong = HttpTransport::check_url(options.url); !wrong.empty())
        return setting_error(settings, "url", wrong);
    if (Status status = read_headers(settings, options); !status) return status.error();
    if (Status status = check_tls(settings, options.url.starts_with("https:"), "an https:// url"); !status)
        return status.error();
    if (Status status = check_password(settings); !status) return status.error();
    options.user = settings.string("user");
    options.password = settings.string("password");
    options.token = settings.string("token");
    if (!options.token.empty() && !options.user.empty())
        return setting_error(settings, "token", "does not go with user");
    if (options.token.find_first_of("\r\n") != std::string::npos)
        return setting_error(settings, "token", "must be one line");
    options.ca_file = settings.string("tls.ca");
    options.certificate_file = settings.string("tls.certificate");
    options.key_file = settings.string("tls.key");
    options.timeout = settings.duration("timeout");
    options.gzip = settings.string("compression") == "gzip";
    auto packers = make_packers(context, static_cast<std::size_t>(settings.integer("max_message_size")));
    if (!packers) return packers.error();
    return std::unique_ptr<Exporter>(std::make_unique<PublishingExporter>(
        packers.value(), MessageKey::kNone,
        std::make_unique<HttpTransport>(std::move(options), context.name, context.logger)));
}

}  // namespace

constinit const ExporterType kHttpExporterType{
    .name = "http",
    .summary = "JSON lines, CSV or IPFIX posted to a URL, such as ClickHouse's",
    .settings = kSettings,
    .exclusive = false,
    .make = &make_http,
};

}  // namespace nfstreamd::exporters
