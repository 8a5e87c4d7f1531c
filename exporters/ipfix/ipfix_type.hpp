// SPDX-License-Identifier: Apache-2.0
// Exporter type ipfix. Free functions, control thread.
#pragma once
#include "exporters/registry.hpp"

namespace nfstreamd::exporters {

extern const ExporterType kIpfixExporterType;

}  // namespace nfstreamd::exporters
