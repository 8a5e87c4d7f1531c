// SPDX-License-Identifier: Apache-2.0
// The exporter types that send messages to brokers, servers and peers.
#pragma once
#include "exporters/registry.hpp"

namespace nfstreamd::exporters {

extern const ExporterType kLinesExporterType, kSyslogExporterType;
#ifdef NFSTREAMD_WITH_KAFKA
extern const ExporterType kKafkaExporterType;
#endif
#ifdef NFSTREAMD_WITH_MQTT
extern const ExporterType kMqttExporterType;
#endif
#ifdef NFSTREAMD_WITH_ZMQ
extern const ExporterType kZmqExporterType;
#endif
#ifdef NFSTREAMD_WITH_NATS
extern const ExporterType kNatsExporterType;
#endif
#ifdef NFSTREAMD_WITH_HTTP
extern const ExporterType kHttpExporterType;
#endif

}  // namespace nfstreamd::exporters
