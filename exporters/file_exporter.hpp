// SPDX-License-Identifier: Apache-2.0
// The exporter types that write lines to a file: csv and json.
#pragma once
#include "exporters/registry.hpp"

namespace nfstreamd::exporters {

extern const ExporterType kCsvExporterType, kJsonExporterType;

}  // namespace nfstreamd::exporters
