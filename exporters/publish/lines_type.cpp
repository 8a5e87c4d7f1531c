// SPDX-License-Identifier: Apache-2.0
// The settings of exporter type lines, and how one is made of them.
#include <fmt/format.h>

#include "exporters/encode/line_packer.hpp"
#include "exporters/publish/packing.hpp"
#include "exporters/publish/receiver.hpp"
#include "exporters/publish/types.hpp"
#include "exporters/transport/session_publisher.hpp"

namespace nfstreamd::exporters {
namespace {

using config::SettingSpec;
using config::SettingType;

constexpr std::size_t kStreamChunk = 16 * 1024;  // what lines gather to over TCP before they are handed over

constexpr auto kSettings = joined_settings(
    kReceiverSettings,
    std::array{
        format_setting("json csv", "JSON lines with nfstream's columns as keys, or lines of CSV."),
        SettingSpec{.name = "csv_header",
                    .type = SettingType::kBool,
                    .default_value = "false",
                    .description = "Names of the columns at the beginning of each connection, or of each datagram."},
        kSchemaSetting},
    kPseudonymSettings);

Result<std::unique_ptr<Exporter>> make_lines(const ExporterContext& context) {
    const config::Settings& settings = context.settings;
    const std::string& format = settings.string("format");
    if (settings.given("csv_header") && format != "csv")
        return setting_error(settings, "csv_header", "goes with format csv only");
    auto receiver = make_receiver(settings, {0, 0});
    if (!receiver) return receiver.error();
    auto made = make_text_encoder(context, format);
    if (!made) return made.error();
    const std::shared_ptr<const Encoder> encoder = std::move(made.value());
    const bool datagrams = receiver.value().datagram > 0, header = settings.boolean("csv_header");
    const LineLayout layout{.header = header && datagrams, .last_end = true};
    const PackLimits limits{.records = 1'000'000,
                            .target = datagrams ? receiver.value().datagram : kStreamChunk,
                            .most = receiver.value().most};
    std::string preamble;
    if (header) encoder->preamble(preamble);
    return std::unique_ptr<Exporter>(std::make_unique<PublishingExporter>(
        [encoder, layout, limits] { return std::make_unique<LinePacker>(encoder, layout, limits); }, MessageKey::kNone,
        std::make_unique<SessionPublisher>(std::move(receiver.value().transport), StreamFraming::kNone,
                                           std::move(preamble), context.name, context.logger),
        has_spool(settings)));
}

}  // namespace

constinit const ExporterType kLinesExporterType{
    .name = "lines",
    .summary = "JSON or CSV lines over TCP, UDP, TLS or DTLS, as Logstash, Vector and Fluent Bit read them",
    .settings = kSettings,
    .exclusive = false,
    .make = &make_lines,
};

}  // namespace nfstreamd::exporters
