// SPDX-License-Identifier: Apache-2.0
// The settings of exporter type zmq, and how one is made of them.
#include <fmt/format.h>

#include "exporters/publish/packing.hpp"
#include "exporters/publish/types.hpp"
#include "exporters/transport/zmq_transport.hpp"

namespace nfstreamd::exporters {
namespace {

using config::SettingSpec;
using config::SettingType;

constexpr std::array kOwnSettings{
    SettingSpec{.name = "endpoint",
                .type = SettingType::kString,
                .default_value = "",
                .required = true,
                .description = "As libzmq has it: tcp://*:5556 to bind, tcp://HOST:5556 to connect, ipc:///PATH."},
    SettingSpec{.name = "socket",
                .type = SettingType::kChoice,
                .default_value = "pub",
                .description = "pub: every subscriber gets each message that finds room in its queue; push: one of the "
                               "peers does, and without any the exporter waits.",
                .choices = "pub push"},
    SettingSpec{.name = "attach",
                .type = SettingType::kChoice,
                .default_value = "bind",
                .description = "bind: peers connect to us; connect: we to one that binds.",
                .choices = "bind connect"},
    SettingSpec{.name = "topic",
                .type = SettingType::kString,
                .default_value = "",
                .description = "With pub: a first frame before each message, to subscribe to; empty: none."},
    SettingSpec{.name = "high_water_mark",
                .type = SettingType::kInteger,
                .default_value = "1000",
                .description = "Messages that wait for one peer, at most.",
                .min = 1,
                .max = 10'000'000},
    SettingSpec{.name = "slow_subscribers",
                .type = SettingType::kChoice,
                .default_value = "drop",
                .description =
                    "With pub, when a subscriber's queue is full: drop, it misses messages, which nobody can "
                    "count; wait, for all of them.",
                .choices = "drop wait"},
    size_setting("1000000", 1e9),
};
constexpr auto kPacking = broker_packing("1");
constexpr auto kSettings = joined_settings(kOwnSettings, kPacking);

Result<std::unique_ptr<Exporter>> make_zmq(const ExporterContext& context) {
    const config::Settings& settings = context.settings;
    ZmqOptions options;
    options.endpoint = settings.string("endpoint");
    options.push = settings.string("socket") == "push";
    options.bind = settings.string("attach") == "bind";
    options.topic = settings.string("topic");
    options.high_water_mark = static_cast<int>(settings.integer("high_water_mark"));
    options.wait_for_slow = settings.string("slow_subscribers") == "wait";
    if (!options.endpoint.starts_with("tcp://") && !options.endpoint.starts_with("ipc://"))
        return setting_error(settings, "endpoint", "must begin with tcp:// or ipc://");
    if (!options.bind && options.endpoint.find('*') != std::string::npos)
        return setting_error(settings, "endpoint", "names no host to connect to; did you mean attach: bind");
    for (const std::string_view name : {"topic", "slow_subscribers"})
        if (options.push && settings.given(name)) return setting_error(settings, name, "goes with socket pub only");
    auto packers = make_packers(context, static_cast<std::size_t>(settings.integer("max_message_size")));
    if (!packers) return packers.error();
    return std::unique_ptr<Exporter>(std::make_unique<PublishingExporter>(
        packers.value(), MessageKey::kNone, std::make_unique<ZmqTransport>(std::move(options))));
}

}  // namespace

constinit const ExporterType kZmqExporterType{
    .name = "zmq",
    .summary = "JSON, CSV or IPFIX messages to a PUB or PUSH socket of ZeroMQ",
    .settings = kSettings,
    .exclusive = true,  // owns the endpoint that it binds
    .make = &make_zmq,
};

}  // namespace nfstreamd::exporters
