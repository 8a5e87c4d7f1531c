// SPDX-License-Identifier: Apache-2.0
// Exporter types netflow5 and netflow9. Free functions, control thread.
#pragma once
#include "exporters/registry.hpp"

namespace nfstreamd::exporters {

extern const ExporterType kNetflow5ExporterType, kNetflow9ExporterType;

}  // namespace nfstreamd::exporters
